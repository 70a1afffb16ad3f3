package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/** {@code pids.max} and what it counts; the same files on v1 and v2. */
final class Pids implements Controller {
  private static final String MAX = "pids.max";
  private static final String EVENTS = "pids.events";
  private static final String LOCAL = "pids.events.local";

  private final Branch branch;
  private final Directory group;

  Pids(Branch branch) {
    this.branch = branch;
    this.group = branch.directory();
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("pids");
  }

  @Override
  public boolean isPresent() {
    return !branch.unified() || group.has(MAX);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    Optional<Limits.Request> request = limits.get(LimitKind.PIDS);
    if (request.isPresent()) {
      rows.set(request.get(), group, MAX, request.get().value().toString(), LimitRows::countOrMax);
    }
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.pidsCurrent = FlatKeyed.number(figures.read(group, "pids.current"));
    figures.pidsPeak = FlatKeyed.number(figures.read(group, "pids.peak")); // since Linux 6.1
    String events = figures.read(group, EVENTS);
    boolean alone = !branch.unified() || figures.read(group, LOCAL) == null;
    figures.pidsRejected =
        events != null && alone
            ? NestedSum.of(branch, EVENTS, "max", events)
            : FlatKeyed.value(events, "max");
  }

  /**
   * Whether {@code pids.events} counts this group alone: always on v1, on v2 before Linux 6.11,
   * which brought {@code pids.events.local}.
   */
  static boolean countsAlone(Branch branch) {
    return !branch.unified() || (branch.directory().has(EVENTS) && !branch.directory().has(LOCAL));
  }
}
