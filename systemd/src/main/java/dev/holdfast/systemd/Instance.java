package dev.holdfast.systemd;

import dev.holdfast.cgroup.Absence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The systemd that serves us: the system's for root, a user's own for everybody else. Found by
 * looking at files. Immutable.
 */
final class Instance {
  private static final String ROOT_UID = "0";

  private final Path top;
  private final String user;
  private final boolean system;
  private final List<Bus> buses;
  private final @Nullable Absence obstacle;

  private Instance(Path top, String user, List<Bus> buses) {
    this.top = top;
    this.user = user;
    this.system = user.equals(ROOT_UID);
    this.buses = buses;
    this.obstacle = look();
  }

  /** For this process. */
  static Instance own() {
    return of(Path.of("/"), System.getenv("XDG_RUNTIME_DIR"));
  }

  /**
   * @param top the root of the file system; for tests
   * @param runtimeDirectory what {@code XDG_RUNTIME_DIR} says
   */
  static Instance of(Path top, @Nullable String runtimeDirectory) {
    String user = owner(top.resolve("proc/self")).orElse("");
    if (user.equals(ROOT_UID)) {
      Path run = top.resolve("run");
      return new Instance(
          top,
          user,
          List.of(
              new Bus(run.resolve("dbus/system_bus_socket"), false),
              new Bus(run.resolve("systemd/private"), true)));
    }
    Path directory = top.resolve("run/user").resolve(user);
    // Whoever became somebody else without a login still has the former user's.
    if (runtimeDirectory != null
        && runtimeDirectory.startsWith("/")
        && owner(Path.of(runtimeDirectory)).filter(user::equals).isPresent()) {
      directory = Path.of(runtimeDirectory);
    }
    return new Instance(
        top,
        user,
        List.of(
            new Bus(directory.resolve("bus"), false),
            new Bus(directory.resolve("systemd/private"), true)));
  }

  /** Whether it is the system's. */
  boolean isSystem() {
    return system;
  }

  String whom() {
    return system ? "systemd" : "the user's systemd";
  }

  /** The command that tells more of it. */
  String control() {
    return system ? "systemctl" : "systemctl --user";
  }

  /** Where it can be asked, best first; those that are there. */
  List<Bus> buses() {
    return buses.stream().filter(bus -> Files.exists(bus.socket())).toList();
  }

  /** Why it cannot be asked. */
  Optional<Absence> obstacle() {
    return Optional.ofNullable(obstacle);
  }

  private @Nullable Absence look() {
    // sd_booted(3)
    if (!Files.isDirectory(top.resolve("run/systemd/system"))) {
      return new Absence("systemd does not run here", "");
    }
    String first = text(top.resolve("proc/1/comm"));
    if (!first.isEmpty() && !first.equals("systemd")) {
      return new Absence(
          "the first process here is "
              + first
              + " and not systemd, which would not know our processes by their numbers",
          "run outside of the container");
    }
    if (!buses().isEmpty()) {
      return null;
    }
    if (system) {
      return new Absence(
          "systemd cannot be asked: there is neither " + buses.get(0) + " nor " + buses.get(1),
          "start its bus: systemctl start dbus.socket");
    }
    return new Absence(
        "no systemd runs for this user: there is neither " + buses.get(0) + " nor " + buses.get(1),
        "have root start one: loginctl enable-linger " + user);
  }

  private static Optional<String> owner(Path path) {
    try {
      return Optional.of(String.valueOf(Files.getAttribute(path, "unix:uid")));
    } catch (IOException | UnsupportedOperationException unreadable) {
      return Optional.empty();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException hidden) {
      return "";
    }
  }
}
