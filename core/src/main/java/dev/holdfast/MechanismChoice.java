package dev.holdfast;

import dev.holdfast.containment.Ladder;

/** Which mechanisms a caller accepts. */
public enum MechanismChoice {
  /** The best that this machine has. */
  AUTO(Ladder.Choice.AUTO),
  /** Any of the three cgroup mechanisms, or an error. */
  CGROUP(Ladder.Choice.CGROUP),
  /** A pid namespace, or an error. */
  PID_NAMESPACE(Ladder.Choice.PID_NAMESPACE),
  PROCESS_GROUP(Ladder.Choice.PROCESS_GROUP),
  /** Only what the JDK knows of processes; all that there is on other systems than Linux. */
  PROCESS_TREE(Ladder.Choice.PROCESS_TREE);

  private final Ladder.Choice choice;

  MechanismChoice(Ladder.Choice choice) {
    this.choice = choice;
  }

  Ladder.Choice choice() {
    return choice;
  }
}
