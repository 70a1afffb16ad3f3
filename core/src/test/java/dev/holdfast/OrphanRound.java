package dev.holdfast;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * What happens in one round of {@link OrphanTest}: all of it follows from the seed, in the test's
 * own JVM and in the one that dies.
 *
 * @param way how the JVM ends; seeds that follow each other have them in turn
 * @param moment what it does then
 * @param kinds of the members, a letter each as {@code native/test/member.c} has them; a job each
 * @param frozen which jobs are frozen
 * @param patience how many of the jobs are there at the end, where the moment is BUILDING
 */
record OrphanRound(
    long seed, Way way, Moment moment, List<String> kinds, List<Boolean> frozen, int patience) {
  static final int JOBS = 50;

  static final int MEMBERS = 500;

  enum Way {
    /** {@code kill -9}. */
    KILL,
    /** {@link Runtime#halt}. */
    HALT,
    /** The kernel ends it, since the group that it is in has no memory left. */
    OOM,
    /** It is stopped, and nothing happens; then it is killed. */
    STOP,
    /** Its keeper is killed, and then itself; the next start sweeps. */
    BOTH;

    /** The first seed from this one on that has this way. */
    long seedFrom(long seed) {
      return seed + Math.floorMod(ordinal() - seed, values().length);
    }
  }

  enum Moment {
    /** All members have settled. */
    SETTLED,
    /** They have, and more are being started. */
    STARTING,
    /** The jobs are still being made. */
    BUILDING
  }

  static OrphanRound of(long seed) {
    Random random = new Random(seed);
    Way way = Way.values()[Math.floorMod(seed, Way.values().length)];
    Moment moment = Moment.values()[random.nextInt(Moment.values().length)];
    List<Character> kinds = new ArrayList<>();
    for (int i = 0; i < MEMBERS; i++) {
      kinds.add("psditvlx".charAt(random.nextInt(8)));
    }
    // These keep a processor busy, or make many directories.
    put("ffe" + "nnnnnnnnnn" + "zzzzz", kinds);
    Collections.shuffle(kinds, random);
    List<String> jobs = new ArrayList<>();
    List<Boolean> frozen = new ArrayList<>();
    for (int job = 0; job < JOBS; job++) {
      StringBuilder letters = new StringBuilder();
      kinds.subList(job * (MEMBERS / JOBS), (job + 1) * (MEMBERS / JOBS)).forEach(letters::append);
      jobs.add(letters.toString());
      frozen.add(random.nextInt(3) == 0);
    }
    return new OrphanRound(seed, way, moment, jobs, frozen, 1 + random.nextInt(JOBS - 1));
  }

  private static void put(String letters, List<Character> kinds) {
    for (int i = 0; i < letters.length(); i++) {
      kinds.set(i, letters.charAt(i));
    }
  }

  @Override
  public String toString() {
    return "seed " + seed + ": " + way + ", " + moment;
  }
}
