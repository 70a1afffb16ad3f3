package dev.holdfast.linux;

import java.util.Locale;
import java.util.Optional;

/** Whether this is a system, and a processor, whose calls we know. */
public final class Platform {
  /** What helps where it is another one. */
  public static final String REMEDY = "run on Linux, on x86-64 or aarch64";

  private Platform() {}

  /** Why there are no system calls for us here; empty where there are. */
  public static Optional<String> unknown() {
    String system = System.getProperty("os.name", "");
    if (!system.equals("Linux")) {
      return Optional.of("control groups are Linux's, and this is " + system);
    }
    return isX86() || isArm()
        ? Optional.empty()
        : Optional.of(
            "system calls are known for x86-64 and aarch64, and this is " + architecture());
  }

  static boolean isArm() {
    return architecture().equals("aarch64");
  }

  private static boolean isX86() {
    String architecture = architecture();
    return architecture.equals("amd64") || architecture.equals("x86_64");
  }

  private static String architecture() {
    return System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
  }
}
