package dev.holdfast.bench;

/**
 * One way of doing a piece of work.
 *
 * @param name as the table prints it
 * @param sample does it once and measures it
 */
record Candidate(String name, Sample sample) {
  /** Does the work once. */
  @FunctionalInterface
  interface Sample {
    /** The measured value, in the unit of the table. */
    double take() throws Exception;
  }

  /** The work itself, measured from outside. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  /** Microseconds that {@code work} takes on the calling thread. */
  static Candidate timed(String name, Work work) {
    return new Candidate(name, () -> micros(work));
  }

  /**
   * Microseconds that {@code work} takes on a virtual thread of its own, whose start and end are
   * not counted.
   */
  static Candidate timedOnVirtualThread(String name, Work work) {
    return new Candidate(
        name,
        () -> {
          var task = new java.util.concurrent.FutureTask<>(() -> micros(work));
          Thread.ofVirtual().start(task).join();
          return task.get();
        });
  }

  static double micros(Work work) throws Exception {
    long begin = System.nanoTime();
    work.run();
    return (System.nanoTime() - begin) / 1e3;
  }
}
