package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What v1's net_cls and net_prio do, on v2, which has neither: programs on the group give new
 * sockets a mark (SO_MARK) and a priority (SO_PRIORITY). Sockets that members have already keep
 * what they have.
 */
final class SocketsV2 implements Controller {
  private final Directory group;
  private final boolean marks;
  private final boolean priorities;

  /** What no v1 controller does. */
  SocketsV2(Directory group, boolean marks, boolean priorities) {
    this.group = group;
    this.marks = marks;
    this.priorities = priorities;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return (marks && controllers.contains(LimitKind.NET_CLASS.controller()))
        || (priorities && controllers.contains(LimitKind.NET_PRIORITY.controller()));
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    Optional<Limits.Request> mark = limits.get(LimitKind.NET_CLASS);
    if (marks && mark.isPresent() && mark.get().value() instanceof LimitValue.Count(long value)) {
      put(GroupProgram.MARK, SocketProgram.mark((int) value), List.of(mark.get()), rows);
    }
    List<Limits.Request> asked = limits.all(LimitKind.NET_PRIORITY);
    if (priorities && !asked.isEmpty()) {
      priority(asked, rows);
    }
  }

  /** A socket knows its priority before it knows an interface. */
  private void priority(List<Limits.Request> asked, LimitRows rows) throws IOException {
    LimitValue value = asked.getFirst().value();
    for (Limits.Request request : asked) {
      if (!request.value().equals(value)) {
        for (Limits.Request each : asked) {
          rows.refused(
              each,
              "on v2 a socket has one priority, whatever interface it uses: "
                  + value
                  + " and "
                  + request.value()
                  + " cannot both be had",
              "give one priority, or boot with cgroup v1 and net_prio",
              null);
        }
        return;
      }
    }
    if (value instanceof LimitValue.Count(long number)) {
      put(GroupProgram.PRIORITY, SocketProgram.priority((int) number), asked, rows);
    }
  }

  private void put(GroupProgram program, long[] code, List<Limits.Request> requests, LimitRows rows)
      throws IOException {
    HoldfastException refused = null;
    try {
      boolean replaced = program.put(group, code);
      rows.rollback().changed(program.hook(), replaced ? null : () -> program.remove(group));
    } catch (HoldfastException why) {
      refused = why;
    }
    for (Limits.Request request : requests) {
      if (refused != null) {
        rows.refused(request, refused.why(), refused.remedy(), refused.getCause());
      } else {
        rows.enforced(request, request.value(), program.hook());
      }
    }
  }
}
