package dev.holdfast;

import java.util.Locale;

/**
 * A limit of one process, as {@code setrlimit(2)} has them; children inherit it. Not a limit of the
 * job: each process may use so much again.
 *
 * @param soft what holds, in the resource's unit; {@link #INFINITY} for none
 * @param hard up to where the process may raise it
 */
public record ResourceLimit(Resource resource, long soft, long hard) {
  /** No limit. */
  public static final long INFINITY = -1;

  /** The resources of Linux, with their numbers on x86-64 and aarch64. */
  public enum Resource {
    CPU(0),
    FSIZE(1),
    DATA(2),
    STACK(3),
    CORE(4),
    RSS(5),
    NPROC(6),
    NOFILE(7),
    MEMLOCK(8),
    AS(9),
    LOCKS(10),
    SIGPENDING(11),
    MSGQUEUE(12),
    NICE(13),
    RTPRIO(14),
    RTTIME(15);

    private final int number;

    Resource(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  public ResourceLimit {
    if (soft < INFINITY || hard < INFINITY) {
      throw new IllegalArgumentException("a resource limit is not negative");
    }
    if (hard != INFINITY && (soft == INFINITY || soft > hard)) {
      throw new IllegalArgumentException("the soft limit is above the hard limit");
    }
  }

  /**
   * Parses {@code NAME=SOFT[:HARD]}; {@code unlimited} lifts it; without a hard limit it is the
   * soft one.
   */
  public static ResourceLimit parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not NAME=SOFT[:HARD], such as nofile=1024");
    }
    String name = text.substring(0, equals).toUpperCase(Locale.ROOT);
    Resource resource;
    try {
      resource = Resource.valueOf(name.startsWith("RLIMIT_") ? name.substring(7) : name);
    } catch (IllegalArgumentException unknown) {
      throw new IllegalArgumentException("there is no resource limit \"" + name + "\"", unknown);
    }
    String[] values = text.substring(equals + 1).split(":", -1);
    if (values.length > 2) {
      throw new IllegalArgumentException("\"" + text + "\" has more than a soft and a hard limit");
    }
    long soft = value(values[0], text);
    return new ResourceLimit(resource, soft, values.length == 2 ? value(values[1], text) : soft);
  }

  private static long value(String value, String text) {
    if (value.equals("unlimited") || value.equals("max") || value.equals("infinity")) {
      return INFINITY;
    }
    try {
      long number = Long.parseLong(value);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      // said below
    }
    throw new IllegalArgumentException(
        "\"" + value + "\" in \"" + text + "\" is neither a number from 0 nor \"unlimited\"");
  }
}
