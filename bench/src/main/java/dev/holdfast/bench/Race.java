package dev.holdfast.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Candidates for the same work. Each round takes one sample of every candidate, so that whatever
 * the machine does meanwhile meets them all; the order within a round is shuffled, with a fixed
 * seed, so that nobody always runs behind the same one.
 */
final class Race {
  private final String title;
  private final Unit unit;
  private final List<Candidate> candidates = new ArrayList<>();
  private final List<Goal> goals = new ArrayList<>();

  /** What ratios are taken to. */
  private final String reference;

  Race(String title, Unit unit, String reference) {
    this.title = title;
    this.unit = unit;
    this.reference = reference;
  }

  Race add(Candidate candidate) {
    candidates.add(candidate);
    return this;
  }

  Race add(List<Candidate> more) {
    candidates.addAll(more);
    return this;
  }

  Race goal(String candidate, String against, double factor) {
    goals.add(new Goal(candidate, against, factor));
    return this;
  }

  /**
   * Runs it.
   *
   * @param pauseMillis before each sample, so that the machine is idle when it begins; 0 for back
   *     to back
   */
  Outcome run(int warmUp, int rounds, long pauseMillis) throws Exception {
    Random order = new Random(42);
    List<Integer> turn = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      turn.add(i);
    }
    double[][] values = new double[candidates.size()][rounds];
    for (int round = -warmUp; round < rounds; round++) {
      Collections.shuffle(turn, order);
      for (int index : turn) {
        if (pauseMillis > 0 && round >= 0) {
          Thread.sleep(pauseMillis);
        }
        double value = candidates.get(index).sample().take();
        if (round >= 0) {
          values[index][round] = value;
        }
      }
    }
    Map<String, Samples> samples = new LinkedHashMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      samples.put(candidates.get(i).name(), new Samples(values[i]));
    }
    return new Outcome(title + ", " + rounds + " rounds", unit, reference, samples, goals);
  }
}
