package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells a listener of what happens in a group, until it is closed: see {@link Cgroup#listen}.
 *
 * <p>Thread-safe.
 */
public final class EventWatch implements Watch {
  /*
   * v2 announces changes of cgroup.events and of the controllers' *.events files; v1 has an eventfd
   * for OOM kills and nothing else: its pids.events is not announced since Linux 6.11.
   */

  /** What the growth of a counter means. */
  private record Meaning(CgroupEvent.Kind kind, Optional<String> subject) {
    Meaning(CgroupEvent.Kind kind) {
      this(kind, Optional.empty());
    }
  }

  /** What a file counts. */
  @FunctionalInterface
  private interface Meanings {
    @Nullable Meaning of(String key);
  }

  private static final Map<String, Map<String, Meaning>> COUNTERS =
      Map.of(
          "memory.events",
          Map.of(
              "low", new Meaning(CgroupEvent.Kind.MEMORY_LOW),
              "high", new Meaning(CgroupEvent.Kind.MEMORY_HIGH),
              "max", new Meaning(CgroupEvent.Kind.MEMORY_MAX),
              "oom_kill", new Meaning(CgroupEvent.Kind.OOM_KILL),
              "oom_group_kill", new Meaning(CgroupEvent.Kind.OOM_GROUP_KILL)),
          "memory.swap.events",
          Map.of(
              "high", new Meaning(CgroupEvent.Kind.SWAP_HIGH),
              "max", new Meaning(CgroupEvent.Kind.SWAP_MAX),
              "fail", new Meaning(CgroupEvent.Kind.SWAP_FAIL)),
          "pids.events",
          Map.of("max", new Meaning(CgroupEvent.Kind.PIDS_REJECTED)));

  private static final String MISC_SUFFIX = ".max";

  private final List<Watch> watches = new ArrayList<>();
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
  static EventWatch oomKills(Directory group, Runnable action) throws IOException {
    EventWatch events =
        new EventWatch(event -> {
          if (event.kind() == CgroupEvent.Kind.OOM_KILL) {
            action.run();
          }
        });
    try {
      events.counters(
          group, "memory.events", COUNTERS.getOrDefault("memory.events", Map.of())::get);
    } catch (SystemCallException refused) {
      throw Refusal.of(
          "cannot watch the group " + group.path() + " for out-of-memory kills",
          refused,
          Refusal.remedy(refused.errno(), group, "memory"));
    }
    return events;
  }

  /**
   * What is told of here, as far as this kernel and the group's controllers at the time tell it.
   */
  public Set<CgroupEvent.Kind> kinds() {
    return kinds.isEmpty() ? EnumSet.noneOf(CgroupEvent.Kind.class) : EnumSet.copyOf(kinds);
  }

  private void add(Branch branch) throws IOException {
    Directory group = branch.directory();
    if (branch.holds("memory")) {
      kinds.add(CgroupEvent.Kind.OOM_KILL);
      long[] count = {0};
      watches.add(
          MemoryWatchV1.oom(
              group,
              () -> listener.accept(new CgroupEvent(CgroupEvent.Kind.OOM_KILL, ++count[0]))));
    }
    if (branch.unified()) {
      states(group);
      for (Map.Entry<String, Map<String, Meaning>> file : COUNTERS.entrySet()) {
        countersIfPresent(group, file.getKey(), file.getValue()::get);
      }
      for (String size : HugePages.names()) {
        Meaning meaning = new Meaning(CgroupEvent.Kind.HUGETLB_MAX, Optional.of(size));
        countersIfPresent(
            group, "hugetlb." + size + ".events", key -> key.equals("max") ? meaning : null);
      }
      countersIfPresent(group, "misc.events", EventWatch::misc);
    }
  }

  /** {@code RESOURCE.max}. */
  private static @Nullable Meaning misc(String key) {
    return key.endsWith(MISC_SUFFIX)
        ? new Meaning(
            CgroupEvent.Kind.MISC_MAX,
            Optional.of(key.substring(0, key.length() - MISC_SUFFIX.length())))
        : null;
  }

  private void countersIfPresent(Directory group, String file, Meanings meanings)
      throws IOException {
    if (group.has(file)) {
      counters(group, file, meanings);
    }
  }

  private void counters(Directory group, String file, Meanings meanings) throws IOException {
    Map<String, Long> known = new HashMap<>();
    watches.add(
        FileWatch.open(
            group,
            file,
            content -> {
              Counters now = Counters.flat(content);
              for (String key : now.names()) {
                Meaning meaning = meanings.of(key);
                if (meaning != null) {
                  long count = now.get(key).orElse(0);
                  @Nullable Long before = known.put(key, count);
                  if (before != null && count > before) {
                    listener.accept(new CgroupEvent(meaning.kind(), meaning.subject(), count));
                  }
                }
              }
            }));
    for (String key : known.keySet()) {
      Meaning meaning = meanings.of(key);
      if (meaning != null) {
        kinds.add(meaning.kind());
      }
    }
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
    watches.forEach(Watch::close);
  }
}
