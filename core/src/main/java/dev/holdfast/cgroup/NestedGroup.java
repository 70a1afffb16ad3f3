package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A group inside one of ours, whoever made it: a member, such as a container engine or a build tool
 * that runs in a job, or we. It is only looked at; each look opens what it reads and closes it
 * again, one directory a hierarchy at a time however deep the group lies, so there is nothing to
 * close. Its maker may remove it at any time: then a look finds nothing.
 *
 * <p>Where members may make groups in several hierarchies, those of the same path are one.
 *
 * <p>Immutable and thread-safe. Every method fails once the group around it is removed.
 */
public final class NestedGroup {
  private final Cgroup top;
  private final List<String> names;

  private NestedGroup(Cgroup top, List<String> names) {
    this.top = top;
    this.names = names;
  }

  /** Is shown groups by {@link Cgroup#walk}. */
  @FunctionalInterface
  public interface Visitor {
    /** Looks at one. What it throws ends the walk. */
    void visit(NestedGroup group) throws IOException;
  }

  /** Those directly in {@code top}. */
  static List<NestedGroup> in(Cgroup top) throws HoldfastException {
    return new NestedGroup(top, List.of()).nested();
  }

  /** The path below the group around it, such as {@code a/b}. */
  public String path() {
    return String.join("/", names);
  }

  /** Those directly in this one; none if it is gone. */
  public List<NestedGroup> nested() throws HoldfastException {
    return look(
            "list the groups in " + path(),
            branches -> {
              Set<String> found = new LinkedHashSet<>();
              for (Branch branch : branches) {
                found.addAll(subdirectories(branch.directory()));
              }
              List<NestedGroup> groups = new ArrayList<>();
              for (String name : found) {
                List<String> longer = new ArrayList<>(names);
                longer.add(name);
                groups.add(new NestedGroup(top, List.copyOf(longer)));
              }
              return groups;
            })
        .orElse(List.of());
  }

  /**
   * As {@link Cgroup#usage}; empty if it is gone. On v1 what was counted in groups that were in it
   * and are gone is missing.
   */
  public Optional<Usage> usage() throws HoldfastException {
    return look("read the usage of " + path(), branches -> new Controllers(branches).usage());
  }

  /** As {@link Cgroup#statistics}; empty if it is gone. */
  public Optional<Statistics> statistics() throws HoldfastException {
    return look(
        "read the statistics of " + path(),
        branches -> new StatisticsFiles(branches, HugePages.names()).read());
  }

  /** As {@link Cgroup#members}; none if it is gone. */
  public List<Long> members() throws HoldfastException {
    return look(
            "read the members of " + path(),
            branches -> Members.of(branches.getFirst().directory()).pids())
        .orElse(List.of());
  }

  @Override
  public String toString() {
    return "NestedGroup[" + path() + " in " + top.name() + "]";
  }

  @FunctionalInterface
  private interface Look<T> {
    T at(List<Branch> branches) throws IOException;
  }

  private <T> Optional<T> look(String what, Look<T> look) throws HoldfastException {
    return top.inside(
        what + " in the group " + top.name(),
        () -> {
          List<Branch> opened = new ArrayList<>();
          try {
            for (Branch branch : top.branches().all()) {
              open(branch).ifPresent(opened::add);
            }
            return opened.isEmpty() ? Optional.empty() : Optional.of(look.at(opened));
          } catch (IOException failure) {
            if (Refusal.isGone(failure)) {
              return Optional.empty();
            }
            throw failure;
          } finally {
            opened.forEach(Branch::close);
          }
        });
  }

  /** Steps down by single names: a group that is renamed meanwhile cannot lead us elsewhere. */
  private Optional<Branch> open(Branch from) throws IOException {
    Directory at = Directory.open(from.path());
    try {
      for (String name : names) {
        Directory next = Nested.open(at, name);
        at.close();
        at = next;
      }
      return Optional.of(new Branch(from.hierarchy(), at, from.controllers()));
    } catch (IOException failure) {
      at.close();
      if (Nested.isNotThere(failure)) {
        return Optional.empty();
      }
      throw failure;
    }
  }

  private static List<String> subdirectories(Directory group) throws IOException {
    try {
      return group.subdirectories();
    } catch (IOException failure) {
      if (Refusal.isGone(failure)) {
        return List.of();
      }
      throw failure;
    }
  }
}
