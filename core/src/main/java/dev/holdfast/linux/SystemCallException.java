package dev.holdfast.linux;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A system call failed: which call, on what path (if it had one), with which errno. */
public final class SystemCallException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final @Nullable String path;
  private final int errno;

  /** For {@code call}, such as {@code mkdirat}, on {@code path} or null. */
  public SystemCallException(String call, @Nullable String path, int errno) {
    super(call + (path == null ? "" : " " + path) + ": " + Errno.name(errno));
    this.call = call;
    this.path = path;
    this.errno = errno;
  }

  public String call() {
    return call;
  }

  public @Nullable String path() {
    return path;
  }

  /** One of the constants of {@link Errno}. */
  public int errno() {
    return errno;
  }

  public String errnoName() {
    return Errno.name(errno);
  }
}
