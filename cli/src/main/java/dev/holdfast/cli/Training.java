package dev.holdfast.cli;

import dev.holdfast.Job;
import java.io.FileDescriptor;
import java.io.PrintStream;

/**
 * What a build runs once so that the JVM remembers the classes of a start: the usual calls, in one
 * process. On a machine that lets it do less, less is remembered.
 */
final class Training {
  private static final String[][] CALLS = {
    {"run", "--", "true"},
    {
      "run",
      "--memory",
      "64M",
      "--pids",
      "32",
      "--cpus",
      "1",
      "--timeout",
      "10s",
      "--report",
      "text",
      "--",
      "true"
    },
    {"run", "--memory", "64M", "--report", "json", "--env", "A=B", "--", "true"},
    {"run", "--timeout", "50ms", "--grace", "10ms", "--report", "json", "--", "sleep", "1"},
    {"run", "--mechanism", "process-group", "--", "true"},
    {"run", "--mechanism", "pid-namespace", "--", "true"},
    {"run", "--", "/nonexistent"},
    {"run", "--memory", "nonsense"},
    {"doctor"},
    {"doctor", "--json"},
    {"sweep"},
    {"--version"},
  };

  private Training() {}

  public static void main(String[] args) {
    PrintStream err = Main.stream(FileDescriptor.err);
    for (String[] call : CALLS) {
      int status = Holdfast.execute(RawArguments.recover(call), err, err);
      err.println(String.join(" ", call) + ": " + status);
    }
    err.flush();
    Job.closeAll();
  }
}
