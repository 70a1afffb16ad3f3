package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What this place has to hold a job. */
final class Mechanisms {
  private Mechanisms() {}

  /** Every choice that gives a job here, and what that is held by. */
  static Map<MechanismChoice, Mechanism> here() throws IOException {
    Map<MechanismChoice, Mechanism> here = new LinkedHashMap<>();
    for (MechanismChoice choice : MechanismChoice.values()) {
      if (choice != MechanismChoice.AUTO) {
        try (Job job = Job.builder().mechanism(choice).open()) {
          here.put(choice, job.mechanism());
        } catch (HoldfastException absent) {
          // Then nothing can be tested of it.
        }
      }
    }
    return here;
  }
}
