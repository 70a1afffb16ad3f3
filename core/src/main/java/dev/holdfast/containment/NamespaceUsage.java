package dev.holdfast.containment;

import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.PidNamespace;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.ResourceUsage;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a job in pid namespaces has used, as far as the kernel tells: CPU time, as {@code wait4(2)}
 * and {@code /proc/PID/stat} count it, and the tasks there are. CPU time of a process whose parent
 * ignores SIGCHLD is counted by nobody, and missing. Everything else is absent: there is no sum of
 * memory that counts what is shared once, and no peak of all.
 *
 * <p>Those that a kill ends are stopped and looked at before, since the kernel does not count them
 * any more when their first process has ended.
 *
 * <p>Thread-safe.
 */
final class NamespaceUsage {
  private static final int SIGSTOP = 19;
  private static final long TICK_MICROS = 10_000;

  private long userMicros;
  private long systemMicros;

  /** Some ended uncounted, so the sum is not known. */
  private boolean lost;

  /** Those whose members a kill ends, and how many. */
  private final Map<PidNamespace, Integer> counted = new ConcurrentHashMap<>();

  /** Nobody kills those that another thread is still counting. */
  private final Object counting = new Object();

  /** A child of ours was reaped. */
  synchronized void add(ResourceUsage usage) {
    userMicros += usage.userMicros();
    systemMicros += usage.systemMicros();
  }

  /** A first process was reaped; {@code usage} includes the orphans that it had waited for. */
  synchronized void over(PidNamespace namespace, Optional<ResourceUsage> usage) {
    usage.ifPresent(this::add);
    boolean whole = counted.remove(namespace) != null && usage.isPresent();
    lost |= !whole;
  }

  /**
   * Stops those that will end with their first process, and counts what they have used.
   *
   * @return how many they are
   */
  int beforeKill(PidNamespace namespace, NamespaceMembers members) throws IOException {
    synchronized (counting) {
      Integer before = counted.get(namespace);
      if (before != null) {
        return before;
      }
      long user = 0;
      long system = 0;
      int found = 0;
      if (members.hasLivingChildren() || !namespace.hasNoChildren()) {
        namespace.signal(SIGSTOP);
        for (ProcessTable.Entry member : members.of(namespace)) {
          found++;
          if (!members.isChild(member.pid())) {
            user += member.userTicks() + member.waitedUserTicks();
            system += member.systemTicks() + member.waitedSystemTicks();
          }
        }
      }
      synchronized (this) {
        userMicros += user * TICK_MICROS;
        systemMicros += system * TICK_MICROS;
        counted.put(namespace, found);
      }
      return found;
    }
  }

  /**
   * So far.
   *
   * @param members null if there are none
   */
  Usage now(@Nullable PidNamespace namespace, @Nullable NamespaceMembers members)
      throws IOException {
    long user = 0;
    long system = 0;
    long tasks = 0;
    if (namespace != null) {
      ProcessTable.Entry first = ProcessTable.system().entry(namespace.pid());
      if (first != null) {
        user += first.waitedUserTicks();
        system += first.waitedSystemTicks();
      }
    }
    if (members != null) {
      for (ProcessTable.Entry member : members.of(namespace)) {
        user += member.userTicks() + member.waitedUserTicks();
        system += member.systemTicks() + member.waitedSystemTicks();
        tasks += member.threads();
      }
    }
    return usage(user * TICK_MICROS, system * TICK_MICROS, tasks);
  }

  private synchronized Usage usage(long livingUser, long livingSystem, long tasks) {
    Usage.Cpu cpu = Usage.Cpu.NONE;
    if (!lost) {
      Duration user = micros(userMicros + livingUser);
      Duration system = micros(systemMicros + livingSystem);
      cpu =
          new Usage.Cpu(
              Optional.of(user.plus(system)),
              Optional.of(user),
              Optional.of(system),
              Optional.empty(),
              OptionalLong.empty());
    }
    return new Usage(
        cpu,
        Usage.Memory.NONE,
        new Usage.Pids(OptionalLong.of(tasks), OptionalLong.empty(), OptionalLong.empty()),
        Usage.Io.NONE,
        Usage.Pressure.NONE,
        Usage.Trips.NONE);
  }

  private static Duration micros(long micros) {
    return Duration.ofNanos(micros * 1000);
  }
}
