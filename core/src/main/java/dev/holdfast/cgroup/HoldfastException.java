package dev.holdfast.cgroup;

import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Something could not be done: what, why, and how to mend it. The message is one line, {@code what:
 * why (remedy)}; the failed system call, if there was one, is the cause.
 */
public class HoldfastException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String what;
  private final String why;
  private final String remedy;

  public HoldfastException(String what, String why, String remedy, @Nullable Throwable cause) {
    super(what + ": " + why + " (" + remedy + ")", cause);
    this.what = what;
    this.why = why;
    this.remedy = remedy;
  }

  /**
   * A failure in the form of these: itself if it is one, otherwise that {@code what} could not be
   * done because of it.
   *
   * @param remedy what to do where the failure is no refusal of the kernel's
   */
  public static HoldfastException of(String what, Exception failure, String remedy) {
    if (failure instanceof HoldfastException known) {
      return known;
    }
    if (failure instanceof SystemCallException refused) {
      return Refusal.of(what, refused);
    }
    return new HoldfastException(what, failure.toString(), remedy, failure);
  }

  /** What could not be done. */
  public String what() {
    return what;
  }

  /** Why not; names the call, the path and the errno where the kernel refused. */
  public String why() {
    return why;
  }

  /** How to mend it. */
  public String remedy() {
    return remedy;
  }
}
