package dev.holdfast.containment;

import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Held;
import dev.holdfast.linux.KeeperClient;
import dev.holdfast.linux.NamespaceRefusal;
import dev.holdfast.linux.Platform;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What this JVM owns of the machine, and how the best mechanism for a job is chosen: a cgroup where
 * there is a subtree that is ours, else a pid namespace, else process groups; on other systems than
 * Linux what the JDK sees of process trees. Anchors and keepers are made at the first job that
 * needs them, one for each root, and go when the JVM does.
 *
 * <p>Thread-safe.
 */
public final class Ladder {
  /** What the caller accepts. */
  public enum Choice {
    AUTO,
    CGROUP,
    PID_NAMESPACE,
    PROCESS_GROUP,
    PROCESS_TREE
  }

  private static final Ladder OWN = new Ladder();

  private final Map<Optional<Path>, Anchor> anchors = new ConcurrentHashMap<>();
  private @Nullable KeeperClient keeperWithoutAnchor;
  private final Set<Sessions> sessions = ConcurrentHashMap.newKeySet();
  private final Set<PidNamespaceContainer> namespaces = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private Ladder() {}

  /** That of this JVM. */
  public static Ladder own() {
    return OWN;
  }

  /**
   * Makes the container of a new job.
   *
   * @param root the subtree to use, instead of finding one
   */
  public Container open(Choice choice, Optional<Path> root) throws IOException {
    checkOpen();
    if (choice == Choice.PROCESS_TREE) {
      return new ProcessTreeContainer("process-tree was asked for", "ask for --mechanism auto");
    }
    Optional<String> unknown = Platform.unknown();
    if (unknown.isPresent() && choice == Choice.AUTO && root.isEmpty()) {
      return new ProcessTreeContainer(unknown.get(), Platform.REMEDY);
    }
    if (unknown.isPresent()) {
      throw new HoldfastException("cannot hold a job", unknown.get(), Platform.REMEDY, null);
    }
    if (choice == Choice.PROCESS_GROUP) {
      return processGroup("process-group was asked for", "ask for --mechanism auto");
    }
    if (choice == Choice.PID_NAMESPACE) {
      try {
        return pidNamespace("pid-namespace was asked for", "ask for --mechanism auto");
      } catch (NamespaceRefusal refusal) {
        throw NamespaceObstacle.exception("cannot use a pid namespace", refusal);
      }
    }
    Anchor anchor = anchors.get(root);
    if (anchor == null) {
      CgroupHost host = CgroupHost.read();
      Delegation delegation = Delegation.probe(host, root);
      if (delegation.kind() == Delegation.Kind.NONE) {
        String reason = delegation.reason().orElse("no cgroup subtree is ours");
        String remedy = delegation.remedy().orElse("see holdfast doctor");
        if (choice == Choice.CGROUP || root.isPresent()) {
          throw new HoldfastException("cannot use a cgroup", reason, remedy, null);
        }
        return withoutCgroup(reason, remedy);
      }
      anchor = anchor(root, host, delegation);
    }
    return new CgroupContainer(anchor.newJob(), anchor);
  }

  /** Removes anchors and lets keepers go; for the end of the JVM. Jobs must have been closed. */
  public synchronized void close() throws IOException {
    closed = true;
    IOException last = null;
    for (Anchor anchor : anchors.values()) {
      try {
        anchor.close();
      } catch (IOException failure) {
        last = failure;
      }
    }
    anchors.clear();
    if (keeperWithoutAnchor != null) {
      keeperWithoutAnchor.close();
    }
    if (last != null) {
      throw last;
    }
  }

  private synchronized Anchor anchor(Optional<Path> root, CgroupHost host, Delegation delegation)
      throws IOException {
    checkOpen();
    Anchor anchor = anchors.get(root);
    if (anchor == null) {
      anchor = Anchor.create(delegation);
      anchors.put(root, anchor);
      Sweep.besideInBackground(host, anchor.path());
    }
    return anchor;
  }

  private List<Held> held() {
    return Stream.concat(
            sessions.stream().flatMap(job -> job.held().stream()),
            namespaces.stream().flatMap(job -> job.held().stream()))
        .toList();
  }

  private Container withoutCgroup(String reason, String remedy) throws IOException {
    try {
      return pidNamespace(reason, remedy);
    } catch (NamespaceRefusal refusal) {
      return processGroup(reason, remedy);
    }
  }

  private Container pidNamespace(String reason, String remedy)
      throws IOException, NamespaceRefusal {
    return new PidNamespaceContainer(keeperWithoutAnchor(), namespaces, reason, remedy);
  }

  private Container processGroup(String reason, String remedy) throws IOException {
    return new ProcessGroupContainer(keeperWithoutAnchor(), sessions, reason, remedy);
  }

  private void checkOpen() throws HoldfastException {
    if (closed) {
      throw new HoldfastException(
          "cannot open a job",
          "Holdfast is shut down in this process",
          "start nothing after Job.closeAll, nor from shutdown hooks",
          null);
    }
  }

  private synchronized KeeperClient keeperWithoutAnchor() throws IOException {
    checkOpen();
    if (keeperWithoutAnchor == null) {
      keeperWithoutAnchor = new KeeperClient(this::held);
    }
    return keeperWithoutAnchor;
  }
}
