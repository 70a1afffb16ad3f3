package dev.holdfast.testing;

import java.time.Duration;

/**
 * Time on the wall, where a test measures what happens in it. It is not for waiting until something
 * has happened: that is for an event, or Awaitility, with a deadline. No other class of the tests
 * sleeps.
 */
public final class WallTime {
  private WallTime() {}

  /** Lets so much of it pass. */
  public static void pass(Duration time) throws InterruptedException {
    Thread.sleep(time);
  }
}
