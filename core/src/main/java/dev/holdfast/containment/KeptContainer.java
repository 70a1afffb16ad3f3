package dev.holdfast.containment;

import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartRequest;
import java.io.IOException;

/** A container whose children the keeper starts, and ends when we are gone. Thread-safe. */
public sealed interface KeptContainer extends Container
    permits CgroupContainer, PidNamespaceContainer, ProcessGroupContainer {
  /** Starts a child as a member; it is one before its first instruction. */
  StartOutcome start(StartRequest request) throws IOException, InterruptedException;
}
