package dev.holdfast.cgroup;

/** Something that tells of events until it is closed. Thread-safe. */
public interface Watch extends AutoCloseable {
  /** Nothing begins to be told of from now on. Idempotent; it waits for nothing. */
  @Override
  void close();
}
