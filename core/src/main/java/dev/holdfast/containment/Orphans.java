package dev.holdfast.containment;

import dev.holdfast.linux.Subreaper;
import dev.holdfast.linux.SystemCallException;

/**
 * Whether orphans of members come to us where nothing better holds them. Only a program that starts
 * nothing but jobs may want that, as it takes the orphans of all its descendants in: the command is
 * one.
 */
public final class Orphans {
  private static volatile boolean wanted;

  private Orphans() {}

  /** They shall, from the first job of process groups on. */
  public static void takeIn() {
    wanted = true;
  }

  /** The process that takes them in, from now on; 0 for none of ours. */
  static int reaper() throws SystemCallException {
    if (!wanted) {
      return 0;
    }
    Subreaper.become();
    return (int) ProcessHandle.current().pid();
  }
}
