package dev.holdfast.containment;

import dev.holdfast.linux.ProcessTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Who descends from some processes, as far as {@link ProcessHandle} tells it: a process whose
 * parent has ended has no ancestors any more, so it is found only if it was seen before. A handle
 * remembers when its process started, so a number that is used again misleads nobody.
 *
 * <p>Thread-safe.
 */
final class ProcessTree {
  private final ProcessTable table = ProcessTable.system();

  /** Those seen so far that may be alive, parents before their children. */
  private final Set<ProcessHandle> seen = new LinkedHashSet<>();

  synchronized void add(ProcessHandle child) {
    seen.add(child);
  }

  /** Those who are alive now, parents before their children. */
  synchronized List<ProcessHandle> living() {
    for (ProcessHandle parent : List.copyOf(seen)) {
      parent.descendants().forEach(seen::add);
    }
    seen.removeIf(process -> !process.isAlive());
    List<ProcessHandle> living = new ArrayList<>(seen);
    living.removeIf(this::isZombie);
    return living;
  }

  /** Linux's table tells them from the living; elsewhere there is none, and the JDK does not. */
  private boolean isZombie(ProcessHandle process) {
    try {
      ProcessTable.Entry entry = table.entry((int) process.pid());
      return entry != null && !entry.isAlive();
    } catch (IOException unknown) {
      return false;
    }
  }
}
