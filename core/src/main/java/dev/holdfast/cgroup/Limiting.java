package dev.holdfast.cgroup;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The limits of one group: what sets them, what was asked for before, and why controllers are
 * missing.
 *
 * <p>Thread-safe; one change after the other.
 */
final class Limiting {
  private final String name;
  private final Object changing = new Object();
  private Earlier earlier;
  private volatile Branches branches;
  private volatile Controllers controllers;
  private Set<String> used = Cgroup.USUAL;
  private volatile Map<String, Absence> absences;

  /**
   * Of a group.
   *
   * @param earlier what was asked of it until now
   */
  Limiting(String name, Branches branches, Map<String, Absence> absences, Earlier earlier) {
    this.name = name;
    this.earlier = earlier;
    this.branches = branches;
    this.controllers = new Controllers(branches.all());
    this.absences = Map.copyOf(absences);
  }

  /** All of them, or none: what was set before a limit was refused is taken back. */
  List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws HoldfastException {
    synchronized (changing) {
      LimitRows rows = new LimitRows(bestEffort, branches.mechanism(), earlier);
      try {
        controllers.apply(limits, rows, absences);
      } catch (IOException refused) {
        earlier = earlier.andFailure();
        throw rows.rollback().after(Refusal.of("cannot limit the group " + name, refused));
      }
      earlier = earlier.and(limits);
      return rows.rows();
    }
  }

  Usage usage() throws IOException {
    return controllers.usage();
  }

  Optional<Duration> cpuTime() throws IOException {
    return controllers.cpuTime();
  }

  /** Why controllers are missing, by their names. */
  Map<String, Absence> absences() {
    return absences;
  }

  /**
   * The group has more directories, or more controllers in them.
   *
   * @param names the controllers that it is to have by now, beside those it had
   * @param refused why it did not get others
   * @param above what the group above misses
   */
  void grown(
      Branches more, Set<String> names, Map<String, Absence> refused, Map<String, Absence> above) {
    synchronized (changing) {
      branches = more;
      Set<String> all = new HashSet<>(used);
      all.addAll(names);
      used = Set.copyOf(all);
      controllers = new Controllers(more.all(), used);
      Map<String, Absence> missing = new HashMap<>(above);
      missing.putAll(absences);
      missing.putAll(refused);
      missing.keySet().removeIf(more::have);
      absences = Map.copyOf(missing);
    }
  }
}
