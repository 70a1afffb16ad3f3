package dev.holdfast.systemd;

import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.UInt64;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

/** What we ask of systemd, in its own words (org.freedesktop.systemd1(5)). For one thread. */
final class Manager {
  static final String NAME = "org.freedesktop.systemd1";
  static final String PATH = "/org/freedesktop/systemd1";
  static final String TYPE = "org.freedesktop.systemd1.Manager";

  private static final String UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists";
  private static final String JOB_REMOVED =
      "type='signal',path='" + PATH + "',interface='" + TYPE + "',member='JobRemoved'";

  private final Peer peer;
  private final Consumer<String> progress;

  /**
   * @param progress told what is waited for
   */
  Manager(Peer peer, Consumer<String> progress) {
    this.peer = peer;
    this.progress = progress;
  }

  /**
   * Makes a delegated scope with a process in it, and waits until its job is done.
   *
   * @return how the job ended; {@code done} is well
   */
  String startScope(String unit, String slice, int pid) throws IOException, BusException {
    checkNumbers();
    listen();
    String job;
    try {
      job = start(unit, slice, pid);
    } catch (BusException exists) {
      if (!exists.name().equals(UNIT_EXISTS)) {
        throw exists;
      }
      // One that failed stays until somebody has taken note of it.
      call("ResetFailedUnit", "s", unit);
      job = start(unit, slice, pid);
    }
    progress.accept("the end of its job for " + unit);
    while (true) {
      // id, job, unit, result
      Object[] removed = peer.awaitSignal(TYPE, "JobRemoved");
      if (removed.length == 4 && job.equals(String.valueOf(removed[1]))) {
        return String.valueOf(removed[3]);
      }
    }
  }

  /** Moves a process into the group of a delegated unit, or one below it. */
  void attach(String unit, String below, int pid) throws IOException, BusException {
    checkNumbers();
    call("AttachProcessesToUnit", "ssau", unit, below, numbers(pid));
  }

  private String start(String unit, String slice, int pid) throws IOException, BusException {
    List<Object[]> properties =
        List.of(
            property(
                "Description", "s", "Holdfast's jobs of process " + ProcessHandle.current().pid()),
            property("Slice", "s", slice),
            property("PIDs", "au", numbers(pid)),
            property("Delegate", "b", true),
            // Gone when it is over, however it ended.
            property("CollectMode", "s", "inactive-or-failed"),
            // Or it gets DefaultTasksMax=, a share of what the machine can have.
            property("TasksMax", "t", new UInt64(UInt64.MAX_BIG_VALUE)));
    Object[] reply =
        call("StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", properties, List.of());
    return reply.length == 0 ? "" : String.valueOf(reply[0]);
  }

  /** Before anything is started, so that no end is missed. */
  private void listen() throws IOException, BusException {
    if (!peer.bus().direct()) {
      progress.accept("its answer to AddMatch");
      peer.daemon("AddMatch", "s", JOB_REMOVED);
      // It sends signals over a bus only while somebody asks for them.
      call("Subscribe", null);
    }
  }

  /**
   * systemd takes numbers of processes as it counts them. If it does not count as we do, because a
   * pid namespace lies between us, it would move a stranger.
   */
  private void checkNumbers() throws IOException, BusException {
    if (peer.bus().direct()) {
      return;
    }
    progress.accept("its answer to GetConnectionUnixProcessID");
    Object[] reply = peer.daemon("GetConnectionUnixProcessID", "s", peer.name());
    long own = ProcessHandle.current().pid();
    if (reply.length != 1 || ((Number) reply[0]).longValue() != own) {
      throw new BusException(
          Refusals.OTHER_NUMBERS, "it knows process " + own + " by another number");
    }
  }

  private Object[] call(String member, @Nullable String signature, Object... arguments)
      throws IOException, BusException {
    progress.accept("its answer to " + member);
    return peer.call(NAME, PATH, TYPE, member, signature, arguments);
  }

  private static Object[] property(String name, String signature, Object value) {
    return new Object[] {name, new Variant<>(value, signature)};
  }

  private static UInt32[] numbers(int pid) {
    return new UInt32[] {new UInt32(pid)};
  }
}
