package dev.holdfast.linux;

/** What became of a start. */
public sealed interface StartOutcome {
  /** The program runs (or ran): its process, which is our child and ours to reap. */
  record Started(Pidfd child) implements StartOutcome {}

  /**
   * A step before or at exec failed; nothing is left of the child.
   *
   * @param detail which of several: see {@link StartStep}
   */
  record Failed(StartStep step, int errno, int detail) implements StartOutcome {}

  /**
   * The kernel killed the child before its first instruction: its group had been killed once
   * before, or is being killed right now. Nothing is left of it, and nothing of the program ran.
   */
  record KilledUnborn() implements StartOutcome {}
}
