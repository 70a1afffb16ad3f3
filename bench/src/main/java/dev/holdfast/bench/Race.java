package dev.holdfast.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Candidates for the same work. Each round takes samples of every candidate, so that whatever the
 * machine does meanwhile meets them all; the order within a round is shuffled, with a fixed seed,
 * so that nobody always runs behind the same one.
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
   * Runs it, so many rounds.
   *
   * @param pauseMillis before each sample, so that the machine is idle when it begins
   */
  Outcome run(int warmUp, int rounds, long pauseMillis) throws Exception {
    return run(warmUp, rounds, 1, pauseMillis);
  }

  /**
   * Runs it back to back: each candidate has so many samples in a row, as one program has that does
   * nothing else, before it is the turn of another.
   */
  Outcome runInRows(int warmUp, int rounds, int row) throws Exception {
    return run(warmUp / row, rounds / row, row, 0);
  }

  private Outcome run(int warmUp, int rounds, int row, long pauseMillis) throws Exception {
    Random order = new Random(42);
    List<Integer> turn = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      turn.add(i);
    }
    double[][] values = new double[candidates.size()][rounds * row];
    for (int round = -warmUp; round < rounds; round++) {
      Collections.shuffle(turn, order);
      for (int index : turn) {
        if (pauseMillis > 0 && round >= 0) {
          Thread.sleep(pauseMillis);
        }
        for (int i = 0; i < row; i++) {
          double value = candidates.get(index).sample().take();
          if (round >= 0) {
            values[index][round * row + i] = value;
          }
        }
      }
    }
    Map<String, Samples> samples = new LinkedHashMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      samples.put(candidates.get(i).name(), new Samples(values[i]));
    }
    String count = row == 1 ? rounds + " rounds" : rounds + " rounds of " + row + " in a row";
    return new Outcome(title + ", " + count, unit, reference, samples, goals);
  }
}
