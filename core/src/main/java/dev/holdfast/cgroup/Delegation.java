package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How we come to own a part of the cgroup tree: where groups of ours may be made, and with which
 * controllers.
 *
 * <p>{@link #find} is all that most need. {@link #probe} only looks, and {@link #acquire} does what
 * is needed, once, and never takes it back: a group that has children with controllers cannot have
 * processes of its own, so ours move to a leaf beside the groups to come (the kernel's cgroup-v2
 * document, "No Internal Process Constraint"). Where nothing is ours, a {@link ScopeManager} is
 * asked for a group; we stay where we are then, and a small process of ours keeps that group.
 *
 * <p>Thread-safe.
 */
public final class Delegation {
  /** The group that we move our own processes to. */
  static final String LEAF = "holdfast.leaf";

  /** Where the part of the tree comes from. */
  public enum Kind {
    /** The caller named it. */
    EXPLICIT,
    /** We are in the real root of every hierarchy in use, where nothing needs to move. */
    ROOT,
    /** Groups can be made below our own, or beside the leaf that we are in, as it is. */
    OWNED,
    /** Our own group is ours alone; its processes have to move to a leaf first. */
    LEAF,
    /** systemd makes a delegated scope for us. */
    SYSTEMD,
    /** There is no such place. */
    NONE;

    /** As reports name it, such as {@code leaf}. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Kind kind;
  private final String why;
  private final @Nullable Absence problem;
  private final boolean moves;
  private final @Nullable ScopeManager manager;
  private final CgroupHost host;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile List<Place> places;
  private volatile Map<String, Absence> absences;
  private volatile @Nullable Scope scope;
  private boolean acquired;

  /** What is, or can be made, ours by our own means, or nothing. */
  Delegation(
      Kind kind,
      String why,
      CgroupHost host,
      List<Place> places,
      @Nullable Absence problem,
      boolean moves,
      Map<String, Absence> absences) {
    this.kind = kind;
    this.why = why;
    this.places = List.copyOf(places);
    this.problem = problem;
    this.moves = moves;
    this.absences = Map.copyOf(absences);
    this.manager = null;
    this.host = host;
  }

  /** What somebody else gives. */
  Delegation(ScopeManager manager, String why, CgroupHost host, List<Place> places) {
    this.kind = Kind.SYSTEMD;
    this.why = why;
    this.places = List.copyOf(places);
    this.problem = null;
    this.moves = false;
    this.absences = Map.of();
    this.manager = manager;
    this.host = host;
  }

  /**
   * Gives a part of the tree in which controllers can be enabled, ready for groups to be made in
   * it: reads where we are, and takes the first that serves of the real root of the tree, what is
   * delegated to us already, our own group (if all processes in it are ours: they move to a leaf),
   * and a scope of systemd's. {@link #kind} and {@link #why} tell which it is.
   *
   * <p>To be called once, and kept: each call may have systemd make another scope. It takes
   * milliseconds; only systemd is waited for, half a minute at most.
   *
   * @throws HoldfastException if there is no such part; it says why, and what would help
   */
  public static Delegation find() throws HoldfastException {
    return find(Optional.empty());
  }

  /**
   * As {@link #find()}, in a group that the caller names; nothing else is tried.
   *
   * @param explicitRoot as in {@link #probe}
   */
  public static Delegation find(Path explicitRoot) throws HoldfastException {
    return find(Optional.of(explicitRoot));
  }

  private static Delegation find(Optional<Path> explicitRoot) throws HoldfastException {
    Delegation found = probe(CgroupHost.read(), explicitRoot);
    found.acquire();
    return found;
  }

  /**
   * Finds out what we own, or could; changes nothing and waits for nothing.
   *
   * @param explicitRoot a group to use, in one of the mounted hierarchies; in the others the group
   *     of the same path is used, and our own where there is none
   * @throws HoldfastException if {@code explicitRoot} is no group of a mounted hierarchy
   */
  public static Delegation probe(CgroupHost host, Optional<Path> explicitRoot)
      throws HoldfastException {
    return new DelegationProbe(host, ScopeOffer.OF_SERVICES).run(explicitRoot);
  }

  public Kind kind() {
    return kind;
  }

  /** Why it is this kind, for people; empty text if the kind is {@link Kind#NONE}. */
  public String why() {
    return why;
  }

  /** Why there is no place; empty unless the kind is {@link Kind#NONE}. */
  public Optional<String> reason() {
    return Optional.ofNullable(problem).map(Absence::reason);
  }

  /** How to get a place; empty unless the kind is {@link Kind#NONE}. */
  public Optional<String> remedy() {
    return Optional.ofNullable(problem).map(Absence::remedy);
  }

  /**
   * A place in each hierarchy that shows our own group, v2 first. Where systemd gives one, these
   * are our own groups, none of them writable, until {@link #acquire} has got it.
   */
  public List<Place> places() {
    return places;
  }

  /**
   * Why a controller that every group should have (memory, cpu, pids and io) cannot be had in
   * {@link #places}, by its name; {@link #acquire} may find out more. {@link #absence} tells of
   * others too.
   */
  public Map<String, Absence> absences() {
    return absences;
  }

  /**
   * Why groups made here cannot have {@code controller}; empty if they can, as far as is known by
   * now. Where systemd is to give a scope, what that offers is known once {@link #acquire} has it.
   *
   * @param controller as v2 names it ({@code io}, not {@code blkio})
   */
  public Optional<Absence> absence(String controller) {
    Map<String, Absence> known = absences;
    String legacy = controller.equals("io") ? "blkio" : controller;
    Absence absence = known.getOrDefault(controller, known.get(legacy));
    if (absence != null) {
      return Optional.of(absence);
    }
    return MissingController.of(
        controller, host, manager != null && scope == null ? List.of() : places);
  }

  /**
   * Makes the places ready: on v2 moves the processes of our own group to a leaf if need be, and
   * enables the controllers that are missing for the groups to come. Calls after the first that
   * succeeded do nothing. A controller that cannot be had is no error, see {@link #absences}. It
   * takes milliseconds; the calling thread may wait a few tenths of a second for the kernel, and
   * half a minute for systemd.
   *
   * @throws HoldfastException if the kind is {@link Kind#NONE}, or our processes cannot be moved,
   *     or systemd gives no scope
   */
  public void acquire() throws HoldfastException {
    lock.lock();
    try {
      if (acquired) {
        return;
      }
      if (problem != null) {
        throw new HoldfastException(
            "Cannot own a control group", problem.reason(), problem.remedy(), null);
      }
      if (manager != null) {
        scope = Scope.make(manager, host, this);
        acquired = true;
        return;
      }
      Optional<Place> unified =
          places.stream().filter(place -> place.hierarchy().unified()).findFirst();
      if (unified.isPresent() && unified.get().writable()) {
        if (moves) {
          Leaf.moveInto(unified.get().base());
        }
        Map<String, Absence> all = new TreeMap<>(absences);
        all.putAll(SubtreeControl.enable(unified.get().base(), unified.get().top(), moves));
        absences = Map.copyOf(all);
      }
      acquired = true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes the group {@code name} in every place that we may use; {@link #acquire} comes first.
   *
   * @throws IllegalArgumentException if the name is not one that {@link Cgroup#create} takes
   */
  public Cgroup create(String name) throws HoldfastException {
    return Cgroup.create(places, name, absences(), true, scope);
  }

  /**
   * As {@link #create}, for a group that only holds others: on v1 its usage does not tell of the
   * out-of-memory kills and rejected forks in those that were removed, and making and removing them
   * is cheaper for it.
   */
  public Cgroup createHolder(String name) throws HoldfastException {
    return Cgroup.create(places, name, absences(), false, scope);
  }

  /**
   * Brings a process of ours to where it may itself start others in groups made here. That is so
   * already, and this does nothing, unless systemd gave us a scope: then it moves to a leaf of
   * that.
   *
   * @throws HoldfastException if it cannot be moved
   */
  public void admit(int pid) throws HoldfastException {
    Scope known = scope;
    if (known != null) {
      known.admit(pid);
    }
  }

  /** What it is, where, and why. */
  @Override
  public String toString() {
    return "Delegation[" + kind.text() + (why.isEmpty() ? "" : ": " + why) + "]";
  }

  /** This one with {@code obstacle} as the reason why it is no better. */
  Delegation but(String reason, Absence obstacle) {
    if (problem == null) {
      return new Delegation(
          kind,
          why + ", though " + reason + ": " + obstacle.reason(),
          host,
          places,
          null,
          moves,
          absences);
    }
    String remedy = obstacle.remedy().isEmpty() ? "" : ", or " + obstacle.remedy();
    Absence both = new Absence(reason + "; " + obstacle.reason(), problem.remedy() + remedy);
    return new Delegation(kind, why, host, places, both, moves, absences);
  }

  /** Takes over what another one has found. */
  void take(Delegation inside) {
    places = inside.places;
    absences = inside.absences;
  }
}
