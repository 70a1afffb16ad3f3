package dev.holdfast.linux;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Watches every change of a directory or of a file in one, and has some fail as the kernel could.
 * One at a time; closing it lets everything pass again.
 */
public final class Faults implements AutoCloseable {
  /** What the kernel may answer to a change of a cgroup's file. */
  public static final List<Integer> ERRNOS =
      List.of(
          Errno.EACCES,
          Errno.EBUSY,
          Errno.EINVAL,
          Errno.ENOENT,
          Errno.ENODEV,
          Errno.ENOSPC,
          Errno.EROFS,
          Errno.EOPNOTSUPP,
          Errno.ERANGE);

  /** Those that opening a file may end with. */
  private static final List<Integer> AT_OPEN =
      List.of(Errno.EACCES, Errno.ENOENT, Errno.ENODEV, Errno.EROFS);

  /** The others say that there is nothing to be removed. */
  private static final List<Integer> AT_REMOVAL =
      ERRNOS.stream().filter(e -> e != Errno.ENOENT && e != Errno.ENODEV).toList();

  /** ENOENT says that a program is no more. */
  private static final List<Integer> TO_PROGRAMS =
      Stream.concat(ERRNOS.stream().filter(e -> e != Errno.ENOENT), Stream.of(Errno.EPERM))
          .toList();

  /**
   * A kind of change.
   *
   * @param file its name; that of a directory is {@code *}; or the command of bpf(2)
   */
  public record Site(String call, String file) {
    public List<Integer> errnos() {
      return switch (call) {
        case "openat" -> AT_OPEN;
        case "unlinkat" -> AT_REMOVAL;
        case "bpf" -> TO_PROGRAMS;
        default -> ERRNOS;
      };
    }

    @Override
    public String toString() {
      return call + " " + file;
    }
  }

  private final Set<Site> sites = Collections.synchronizedSet(new LinkedHashSet<>());
  private final List<String> written = Collections.synchronizedList(new ArrayList<>());
  private final List<String> empty = Collections.synchronizedList(new ArrayList<>());
  private final @Nullable Site failing;
  private final int errno;
  private int passing;
  private volatile int hits;

  private Faults(@Nullable Site failing, int errno, int passing) {
    this.failing = failing;
    this.errno = errno;
    this.passing = passing;
    if (Changes.fault != null) {
      throw new IllegalStateException("one at a time");
    }
    Changes.fault = this::pass;
  }

  /** Lets everything pass. */
  public static Faults watch() {
    return new Faults(null, 0, 0);
  }

  /** Has every change of this kind fail. */
  public static Faults failing(Site site, int errno) {
    return failing(site, errno, 0);
  }

  /** Has every change of this kind fail, after the first so many. */
  public static Faults failing(Site site, int errno, int passing) {
    return new Faults(site, errno, passing);
  }

  public static String name(int errno) {
    return Errno.name(errno);
  }

  /** The kinds of changes seen. */
  public Set<Site> sites() {
    return Set.copyOf(sites);
  }

  /** The names of the files that were written, in their order. */
  public List<String> writtenFiles() {
    return List.copyOf(written);
  }

  /** Files to which nothing at all was written. */
  public List<String> emptyWrites() {
    return List.copyOf(empty);
  }

  /** How many changes have failed. */
  public int hits() {
    return hits;
  }

  private synchronized int pass(SystemCall call, String path, @Nullable String value) {
    boolean named = call == SystemCall.MKDIRAT || call == SystemCall.UNLINKAT;
    String file = named ? "*" : path.substring(path.lastIndexOf('/') + 1);
    Site site = new Site(call.manualName(), file);
    sites.add(site);
    if (value != null) {
      written.add(file);
      if (value.isEmpty()) {
        empty.add(path);
      }
    }
    if (site.equals(failing) && passing-- <= 0) {
      hits++;
      return errno;
    }
    return 0;
  }

  @Override
  public void close() {
    Changes.fault = null;
  }
}
