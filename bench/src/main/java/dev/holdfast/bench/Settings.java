package dev.holdfast.bench;

import java.nio.file.Path;

/**
 * How much is done, and where the programs are.
 *
 * @param quick for a look, not for a figure
 * @param guest whether this is a test kernel, where a start costs some 30 ms
 * @param programs the folder of the compiled peers
 */
record Settings(boolean quick, boolean guest, Path programs) {
  /** Rounds of starts back to back, by what the machine bears. */
  int rounds() {
    return guest ? (quick ? 10 : 40) : (quick ? 100 : 500);
  }

  /** A service that starts programs all day runs compiled code; that takes thousands of starts. */
  int warmUp() {
    return guest ? (quick ? 5 : 20) : (quick ? 50 : 5000);
  }

  /** Rounds of starts that wait for an idle machine. */
  int spacedRounds() {
    return quick ? 5 : (guest ? 15 : 30);
  }

  /** Rounds of the large pieces of work. */
  int largeRounds() {
    return quick ? 3 : (guest ? 5 : 7);
  }

  /** Rounds of whole processes of a JVM each. */
  int wholeRounds() {
    return quick ? 5 : 25;
  }

  /** How many live children or sleepers. */
  int many() {
    return guest ? 100 : (quick ? 200 : 1000);
  }

  long streamBytes() {
    return guest ? 32L << 20 : (quick ? 256L << 20 : 1L << 30);
  }

  Path peer() {
    return programs.resolve("peer");
  }

  Path keeper() {
    return programs.resolve("keeper");
  }

  String sleepers() {
    return programs.resolve("sleepers").toString();
  }
}
