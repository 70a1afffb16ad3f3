package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The unit of a user's own systemd that we are in. That systemd ends one that it has not delegated
 * as soon as the kernel kills anything in it for want of memory (OOMPolicy=stop), a member of a job
 * included: a service always, a scope from 253 on.
 *
 * <p>It marks none of its groups, as the system's does. But what it was asked for when it made a
 * transient unit, and a scope is always one, it writes down in {@code
 * /run/user/UID/systemd/transient}:
 *
 * <pre>
 * [Scope]
 * Delegate=yes
 * </pre>
 */
final class UsersUnit {
  private static final Pattern SYSTEMD = Pattern.compile("user@([0-9]+)\\.service");
  private static final Pattern DELEGATES = Pattern.compile("Delegate=\\s*(?!no|false|off|0)\\S.*");

  private UsersUnit() {}

  /**
   * Why our group is that systemd's; empty if it is not, or was left to us, or if that cannot be
   * known of a scope, which is what a user is told to have delegated.
   *
   * @param run what is {@code /run}
   */
  static Optional<String> notDelegated(Hierarchy unified, Path run) {
    Path own = unified.own().orElse(unified.mount());
    Path at = unified.mount();
    String user = null;
    for (Path part : at.relativize(own)) {
      String name = part.toString();
      at = at.resolve(part);
      // Slices only hold others; the first that is none is the unit.
      if (user != null && !name.endsWith(".slice")) {
        Path transients = run.resolve("user").resolve(user).resolve("systemd/transient");
        return reason(at, name, GroupFile.text(transients.resolve(name)));
      }
      Matcher systemd = SYSTEMD.matcher(name);
      if (systemd.matches()) {
        user = systemd.group(1);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> reason(Path group, String name, Optional<String> written) {
    if (written.stream().flatMap(String::lines).anyMatch(DELEGATES.asMatchPredicate())) {
      return Optional.empty();
    }
    if (name.endsWith(".service")) {
      return Optional.of(
          group + " is a service of a user's systemd, which marks none as delegated");
    }
    return name.endsWith(".scope") && written.isPresent()
        ? Optional.of(group + " is a scope that the user's systemd has not delegated to us")
        : Optional.empty();
  }
}
