package dev.holdfast.systemd;

import dev.holdfast.cgroup.HoldfastException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Words for what does not come. */
final class Refusals {
  /** Our own name for an error, among those of D-Bus. */
  static final String OTHER_NUMBERS = "dev.holdfast.OtherProcessNumbers";

  private final Instance instance;
  private final String what;

  /**
   * @param what could not be done
   */
  Refusals(Instance instance, String what) {
    this.instance = instance;
    this.what = what;
  }

  /** An answer that is an error. */
  HoldfastException refused(Bus bus, BusException error) {
    return failure(
        instance.whom() + " at " + bus + " refuses: " + error.text() + " (" + error.name() + ")",
        remedy(error.name()),
        error);
  }

  /** A socket that cannot be talked over. */
  HoldfastException broken(Bus bus, Throwable error) {
    return failure(
        instance.whom() + " cannot be asked at " + bus + ": " + message(error),
        "see whether it runs: " + instance.control() + " status",
        error);
  }

  /** A job that ended otherwise than wished. */
  HoldfastException ended(String unit, String result) {
    return failure(
        "the job of " + instance.whom() + " for " + unit + " ended as " + result,
        "see why: " + instance.control() + " status " + unit + ", and the journal",
        null);
  }

  /** Nothing came in time. */
  HoldfastException hung(String waitedFor, long seconds) {
    return failure(
        "after " + seconds + " s " + instance.whom() + " had not come with " + waitedFor,
        "see what holds it up: "
            + instance.control()
            + " list-jobs; or do without:"
            + " --mechanism process-group, or --cgroup-root",
        null);
  }

  /** The caller does not wish to wait any more. */
  HoldfastException interrupted(String waitedFor) {
    return failure(
        "interrupted while " + instance.whom() + " was to come with " + waitedFor,
        "start again",
        null);
  }

  private String remedy(String error) {
    return switch (error.substring(error.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT)) {
      case "accessdenied", "interactiveauthorizationrequired", "authfailed" ->
          instance.isSystem()
              ? "have the policy of D-Bus and polkit allow it (org.freedesktop.systemd1.manage-units)"
              : "run as the user whose systemd it is";
      case "unitexists" -> "end the old one: " + instance.control() + " stop with its name";
      case "serviceunknown", "namehasnoowner", "spawn.failed" ->
          "see whether it runs: " + instance.control() + " status";
      case "limitsexceeded" -> "end some of the units that there are";
      case "nosuchunit" -> "the scope is gone: open the job again";
      case "otherprocessnumbers" -> "run outside of the container, or with its own systemd";
      case "unknownmethod", "propertyreadonly", "invalidargs" ->
          "have a newer systemd, or give a group that is ours with --cgroup-root";
      default -> "see the journal of " + instance.whom();
    };
  }

  private HoldfastException failure(String why, String remedy, @Nullable Throwable cause) {
    return new HoldfastException(what, why, remedy, cause);
  }

  private static String message(Throwable error) {
    Throwable first = error;
    while (first.getCause() != null) {
      first = first.getCause();
    }
    String text = first.getMessage();
    return text == null ? first.getClass().getSimpleName() : text;
  }
}
