package dev.holdfast.linux;

import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.opentest4j.AssertionFailedError;

/**
 * Runs a scenario once for each kind of change that it makes and each errno that the kernel may
 * answer to it. What fails must say so clearly: which call, which path, which errno, and what to
 * do.
 */
public final class FaultMatrix {
  /** One part of a scenario. */
  @FunctionalInterface
  public interface Step {
    void run() throws Exception;
  }

  /** What is done, in steps; each of them may fail. */
  @FunctionalInterface
  public interface Scenario {
    void run(Attempts attempts) throws Exception;
  }

  /** What must be so afterwards, when nothing fails any more. */
  @FunctionalInterface
  public interface Aftermath {
    void check(String fault) throws Exception;
  }

  /** Tries steps, and remembers how they failed. */
  public static final class Attempts {
    private final List<Exception> failures = new ArrayList<>();

    public void attempt(Step step) throws Exception {
      try {
        step.run();
      } catch (IOException failure) {
        failures.add(failure);
      }
    }
  }

  private final Set<String> silent = new TreeSet<>();
  private final List<String> complaints = new ArrayList<>();
  private int runs;

  /**
   * Runs it all.
   *
   * @throws AssertionError with everything that was not as it must be
   */
  public void run(Scenario scenario, Aftermath aftermath) throws Exception {
    List<Faults.Site> sites = sites(scenario, aftermath);
    for (Faults.Site site : sites) {
      for (int errno : site.errnos()) {
        run(scenario, aftermath, site, errno);
      }
    }
    if (!complaints.isEmpty()) {
      throw new AssertionFailedError(
          complaints.size() + " of " + runs + ":\n" + String.join("\n", complaints));
    }
  }

  /** Faults that showed nowhere, and match none of these. */
  public List<String> silentBut(List<String> fallBacks) {
    return silent.stream().filter(fault -> fallBacks.stream().noneMatch(fault::matches)).toList();
  }

  public int runs() {
    return runs;
  }

  private List<Faults.Site> sites(Scenario scenario, Aftermath aftermath) throws Exception {
    Attempts attempts = new Attempts();
    List<Faults.Site> sites;
    try (Faults faults = Faults.watch()) {
      scenario.run(attempts);
      sites = new ArrayList<>(faults.sites());
      faults.emptyWrites().forEach(file -> complaints.add("an empty write to " + file));
    }
    aftermath.check("no fault");
    if (!attempts.failures.isEmpty()) {
      throw new AssertionError("it fails without any fault", attempts.failures.getFirst());
    }
    sites.sort(Comparator.comparing(Faults.Site::toString));
    return sites;
  }

  private void run(Scenario scenario, Aftermath aftermath, Faults.Site site, int errno)
      throws Exception {
    String fault = site + " " + Faults.name(errno);
    Attempts attempts = new Attempts();
    runs++;
    try (Faults faults = Faults.failing(site, errno)) {
      scenario.run(attempts);
      if (faults.hits() == 0) {
        complaints.add(fault + ": did not come about");
      }
      faults.emptyWrites().forEach(file -> complaints.add(fault + ": an empty write to " + file));
    } catch (Exception | AssertionError other) {
      complaints.add(fault + ": " + other);
    }
    if (attempts.failures.isEmpty()) {
      silent.add(fault);
    }
    for (Exception failure : attempts.failures) {
      if (!isClear(failure, site, errno)) {
        complaints.add(fault + ": says " + failure);
      }
    }
    try {
      aftermath.check(fault);
    } catch (Exception | AssertionError left) {
      complaints.add(fault + ": " + left);
    }
  }

  /** Such as {@code …: write /sys/fs/cgroup/x/memory.max: EINVAL (give …)}. */
  private static boolean isClear(Exception failure, Faults.Site site, int errno) {
    // Of directories, and of their attributes, the name is another each time.
    String file = site.file().equals("*") || site.call().equals("fsetxattr") ? "/" : site.file();
    return failure instanceof HoldfastException known
        && known.why().contains(site.call().equals("openat") ? "/" : site.call())
        && known.why().contains(file)
        && known.why().contains(Faults.name(errno))
        && !known.remedy().isBlank()
        && !known.remedy().contains("for this error");
  }
}
