package dev.holdfast.containment;

import dev.holdfast.linux.Subreaper;
import dev.holdfast.linux.SystemCallException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Whether orphans of members come to us where nothing better holds them. Only a program that starts
 * nothing but jobs may want that, as it takes the orphans of all its descendants in: the command is
 * one.
 */
public final class Orphans {
  private static volatile boolean wanted;

  /** The jobs whose members may leave orphans. */
  private static final Set<Sessions> JOBS = ConcurrentHashMap.newKeySet();

  private Orphans() {}

  /** They shall, from the first job of process groups on. */
  public static void takeIn() {
    wanted = true;
  }

  /** The process that takes them in, from now on; 0 for none of ours. */
  static int reaper() throws SystemCallException {
    if (!wanted) {
      return 0;
    }
    Subreaper.become();
    return (int) ProcessHandle.current().pid();
  }

  static void opened(Sessions job) {
    JOBS.add(job);
  }

  static void closed(Sessions job) {
    JOBS.remove(job);
  }

  /**
   * Nothing tells whose member an orphan was; so while there is more than one job it is nobody's,
   * and the last one ends it.
   */
  static boolean belongTo(Sessions job) {
    return JOBS.size() == 1 && JOBS.contains(job);
  }

  /**
   * Forgets released jobs that nobody is left of. Each looks with its own lock, so the caller must
   * hold none.
   */
  static void forgetOver() {
    JOBS.removeIf(job -> job.isReleased() && job.isOver());
  }
}
