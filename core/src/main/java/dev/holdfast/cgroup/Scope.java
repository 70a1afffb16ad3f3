package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.Holder;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A v2 group that a {@link ScopeManager} made for us. A process of ours sits in its leaf, so that
 * it stays while we live; we ourselves stay where we are.
 *
 * <p>Whoever moves a process, or clones one into a group, may write to the group and to the nearest
 * one above both places ("Delegation Containment" in the kernel's cgroup-v2 document). From a login
 * session to the user's own part of the tree that is a group of root's: there only the manager can
 * move it.
 *
 * <p>Thread-safe.
 */
final class Scope {
  private final ScopeManager manager;
  private final String name;
  private final Path directory;

  private Scope(ScopeManager manager, String name, Path directory) {
    this.manager = manager;
    this.name = name;
    this.directory = directory;
  }

  /**
   * Has a scope made and made ready.
   *
   * @param host where we are
   * @param into gets the places in the scope
   */
  static Scope make(ScopeManager manager, CgroupHost host, Delegation into)
      throws HoldfastException {
    Holder holder = start();
    try {
      String suffix = Long.toHexString(System.nanoTime() & 0xffffff);
      String name = manager.create("holdfast-" + holder.pid() + "-" + suffix, holder.pid());
      CgroupHost there = CgroupHost.read(host.proc(), Integer.toString(holder.pid()));
      String path = there.unified().map(Hierarchy::ownPath).orElse("");
      if (!GroupPath.last(path).equals(name)) {
        throw new HoldfastException(
            "cannot own a control group",
            manager.whom() + " says that it made " + name + ", but our process is in " + path,
            "please report this",
            null);
      }
      Delegation inside = new DelegationProbe(there, ScopeOffer.NONE).run(Optional.empty());
      inside.acquire();
      into.take(inside);
      Path directory = unified(inside);
      // Where v2 has no controllers nobody had to move; but who is admitted needs the leaf.
      Leaf.moveInto(directory);
      return new Scope(manager, name, directory);
    } catch (HoldfastException | RuntimeException refused) {
      // Without a process the scope goes.
      holder.close();
      throw refused;
    }
  }

  private static Path unified(Delegation inside) throws HoldfastException {
    return inside.places().stream()
        .filter(place -> place.hierarchy().unified())
        .map(Place::base)
        .findFirst()
        .orElseThrow(() ->
            new HoldfastException(
                "cannot own a control group",
                "the scope that systemd made has no directory in the v2 hierarchy",
                "please report this",
                null));
  }

  private static Holder start() throws HoldfastException {
    try {
      return Holder.start();
    } catch (IOException failure) {
      throw Refusal.of("cannot start a process for a scope of systemd", failure);
    }
  }

  /** Brings a process to where it may clone children into the groups of the scope. */
  void admit(int pid) throws HoldfastException {
    Path leaf = directory.resolve(Delegation.LEAF);
    try (Directory group = Directory.open(leaf)) {
      int errno = Joining.write(group, Integer.toString(pid));
      if (errno == Errno.EACCES) {
        attach(leaf, pid);
      } else if (errno != 0) {
        throw new SystemCallException("write", leaf.resolve(Joining.FILE).toString(), errno);
      }
    } catch (IOException refused) {
      throw Refusal.of("cannot move process " + pid + " to " + leaf, refused);
    }
  }

  /** Has the manager move a process into a group of the scope, where we may not. */
  void attach(Path group, long pid) throws HoldfastException {
    manager.attach(name, "/" + directory.relativize(group), Math.toIntExact(pid));
  }
}
