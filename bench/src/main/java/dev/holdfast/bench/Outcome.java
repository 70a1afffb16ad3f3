package dev.holdfast.bench;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a race came to, and how it is printed. */
record Outcome(
    String title, Unit unit, String reference, Map<String, Samples> samples, List<Goal> goals) {
  private static final String ROW = "  %-34s %12s %12s %12s %6s  %s%n";

  /** Prints the table and adds a line for each goal to {@code summary}. */
  void print(PrintStream out, List<String> summary) {
    out.println(title);
    out.printf(Locale.ROOT, ROW, "", "best tenth", "median", "p90", "ratio", "goal");
    Samples base = samples.get(reference);
    for (Map.Entry<String, Samples> entry : samples.entrySet()) {
      Samples own = entry.getValue();
      String ratio =
          base == null || base.median() == 0
              ? ""
              : String.format(Locale.ROOT, "%.2f", own.median() / base.median());
      StringBuilder judged = new StringBuilder();
      for (Goal goal : goals) {
        if (goal.candidate().equals(entry.getKey())) {
          Samples against = goal.reference().isEmpty() ? own : samples.get(goal.reference());
          if (against == null) {
            continue;
          }
          boolean met = goal.isMet(unit, own.median(), against.median());
          judged.append(goal.text(unit)).append(met ? " met" : " MISSED");
          String held =
              goal.reference().isEmpty()
                  ? unit.format(own.median())
                  : String.format(
                      Locale.ROOT, "%.2f x %s", own.median() / against.median(), goal.reference());
          summary.add(
              String.format(
                  Locale.ROOT,
                  "  %-6s %s: %s: %s (goal %s)",
                  met ? "met" : "MISSED",
                  title,
                  entry.getKey(),
                  held,
                  goal.text(unit)));
        }
      }
      // The tenth that is worse: the slow one of times, the low one of rates.
      out.printf(
          Locale.ROOT,
          ROW,
          entry.getKey(),
          unit.format(own.better(unit)),
          unit.format(own.median()),
          unit.format(own.worse(unit)),
          ratio,
          judged);
    }
    out.println();
    out.flush();
  }
}
