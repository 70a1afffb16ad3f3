package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells a listener of what happens in a group: from {@code cgroup.events}, {@code memory.events},
 * {@code memory.swap.events} and {@code pids.events} of v2, and v1's eventfd of OOM kills. v1 has
 * nothing else: its {@code pids.events} is not announced since Linux 6.11.
 */
final class EventWatch implements AutoCloseable {
  /** A counter of a file, and what its growth means. */
  private record Source(String file, String key, CgroupEvent.Kind kind) {}

  private static final List<Source> COUNTERS =
      List.of(
          new Source("memory.events", "low", CgroupEvent.Kind.MEMORY_LOW),
          new Source("memory.events", "high", CgroupEvent.Kind.MEMORY_HIGH),
          new Source("memory.events", "max", CgroupEvent.Kind.MEMORY_MAX),
          new Source("memory.events", "oom_kill", CgroupEvent.Kind.OOM_KILL),
          new Source("memory.events", "oom_group_kill", CgroupEvent.Kind.OOM_GROUP_KILL),
          new Source("memory.swap.events", "max", CgroupEvent.Kind.SWAP_MAX),
          new Source("pids.events", "max", CgroupEvent.Kind.PIDS_REJECTED));

  private final List<AutoCloseable> watches = new ArrayList<>();
  private final Set<CgroupEvent.Kind> kinds = EnumSet.noneOf(CgroupEvent.Kind.class);
  private final Consumer<CgroupEvent> listener;

  private EventWatch(Consumer<CgroupEvent> listener) {
    this.listener = listener;
  }

  static EventWatch open(List<Branch> branches, Consumer<CgroupEvent> listener) throws IOException {
    EventWatch events = new EventWatch(listener);
    try {
      for (Branch branch : branches) {
        events.add(branch);
      }
      return events;
    } catch (IOException | RuntimeException failure) {
      events.close();
      throw failure;
    }
  }

  /** Of the kills alone, on v2. */
  static AutoCloseable oomKills(Directory group, Runnable action) throws IOException {
    EventWatch events =
        new EventWatch(event -> {
          if (event.kind() == CgroupEvent.Kind.OOM_KILL) {
            action.run();
          }
        });
    try {
      events.counters(group, "memory.events");
    } catch (SystemCallException refused) {
      throw Refusal.of(
          "cannot watch the group " + group.path() + " for out-of-memory kills",
          refused,
          Refusal.remedy(refused.errno(), group, "memory"));
    }
    return events;
  }

  /** What can be told of here. */
  Set<CgroupEvent.Kind> kinds() {
    return EnumSet.copyOf(kinds);
  }

  private void add(Branch branch) throws IOException {
    Directory group = branch.directory();
    if (branch.holds("memory")) {
      kinds.add(CgroupEvent.Kind.OOM_KILL);
      long[] count = {0};
      watches.add(
          OomWatch.v1(
              group,
              () -> listener.accept(new CgroupEvent(CgroupEvent.Kind.OOM_KILL, ++count[0]))));
    }
    if (branch.unified()) {
      states(group);
      for (String file : List.of("memory.events", "memory.swap.events", "pids.events")) {
        if (group.has(file)) {
          counters(group, file);
        }
      }
    }
  }

  private void counters(Directory group, String file) throws IOException {
    List<Source> sources = COUNTERS.stream().filter(s -> s.file().equals(file)).toList();
    Map<Source, Long> known = new HashMap<>();
    watches.add(
        FileWatch.open(
            group,
            file,
            content -> {
              for (Source source : sources) {
                OptionalLong now = FlatKeyed.value(content, source.key());
                if (now.isPresent()) {
                  @Nullable Long before = known.put(source, now.getAsLong());
                  if (before != null && now.getAsLong() > before) {
                    listener.accept(new CgroupEvent(source.kind(), now.getAsLong()));
                  }
                }
              }
            }));
    known.keySet().forEach(source -> kinds.add(source.kind()));
  }

  private void states(Directory group) throws IOException {
    Map<String, Long> known = new HashMap<>();
    watches.add(
        FileWatch.open(
            group,
            Events.FILE,
            content -> {
              state(
                  known, content, "populated", CgroupEvent.Kind.POPULATED, CgroupEvent.Kind.EMPTY);
              state(known, content, "frozen", CgroupEvent.Kind.FROZEN, CgroupEvent.Kind.THAWED);
            }));
    kinds.add(CgroupEvent.Kind.POPULATED);
    kinds.add(CgroupEvent.Kind.EMPTY);
    if (known.containsKey("frozen")) {
      kinds.add(CgroupEvent.Kind.FROZEN);
      kinds.add(CgroupEvent.Kind.THAWED);
    }
  }

  private void state(
      Map<String, Long> known,
      String content,
      String key,
      CgroupEvent.Kind yes,
      CgroupEvent.Kind no) {
    OptionalLong now = FlatKeyed.value(content, key);
    if (now.isPresent()) {
      @Nullable Long before = known.put(key, now.getAsLong());
      if (before != null && before != now.getAsLong()) {
        listener.accept(new CgroupEvent(now.getAsLong() == 1 ? yes : no, 1));
      }
    }
  }

  @Override
  public void close() {
    for (AutoCloseable watch : watches) {
      try {
        watch.close();
      } catch (Exception never) {
        throw new AssertionError(never);
      }
    }
  }
}
