package dev.holdfast.systemd;

import dev.holdfast.cgroup.Absence;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.ScopeManager;
import java.time.Duration;
import java.util.Optional;

/**
 * Gets delegated scopes from systemd: from the system's if we are root, else from the user's own.
 * Nothing of D-Bus is loaded before the first one is asked for.
 *
 * <p>Thread-safe.
 */
public final class SystemdScopes implements ScopeManager {
  /** The first job that needs systemd waits for both, so 30 s at most. */
  private static final Duration PATIENCE_TO_CREATE = Duration.ofSeconds(20);

  private static final Duration PATIENCE_TO_ATTACH = Duration.ofSeconds(10);

  private final Instance instance;
  private final Duration toCreate;
  private final Duration toAttach;

  /** For this process; used by {@link java.util.ServiceLoader}. */
  public SystemdScopes() {
    this(Instance.own(), PATIENCE_TO_CREATE, PATIENCE_TO_ATTACH);
  }

  SystemdScopes(Instance instance, Duration toCreate, Duration toAttach) {
    this.instance = instance;
    this.toCreate = toCreate;
    this.toAttach = toAttach;
  }

  @Override
  public String whom() {
    return instance.whom();
  }

  @Override
  public Optional<Absence> obstacle() {
    return instance.obstacle();
  }

  @Override
  public String create(String name, int pid) throws HoldfastException {
    String unit = name + ".scope";
    Refusals refusals = new Refusals(instance, "cannot get the scope " + unit + " for the jobs");
    // Where both kinds of systemd keep what nobody sorted elsewhere.
    String slice = instance.isSystem() ? "system.slice" : "app.slice";
    String result =
        new Conversation<String>(instance, refusals, toCreate)
            .about(manager -> manager.startScope(unit, slice, pid));
    if (!result.equals("done")) {
      throw refusals.ended(unit, result);
    }
    return unit;
  }

  @Override
  public void attach(String scope, String below, int pid) throws HoldfastException {
    Refusals refusals =
        new Refusals(instance, "cannot move process " + pid + " to " + scope + " " + below);
    new Conversation<Boolean>(instance, refusals, toAttach)
        .about(manager -> {
          manager.attach(scope, below, pid);
          return true;
        });
  }
}
