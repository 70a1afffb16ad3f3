package dev.holdfast.cli;

import dev.holdfast.Result;
import dev.holdfast.Running;
import dev.holdfast.StartException;
import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.io.PrintStream;

/** {@code holdfast run}. */
final class RunCommand {
  private static final String FAILED = "cannot run the command";
  private static final String REMEDY = "--verbose tells where it came from; please report that";

  private final RunRequest request;
  private final PrintStream err;

  private RunCommand(RunRequest request, PrintStream err) {
    this.request = request;
    this.err = err;
  }

  static int execute(String[] args, PrintStream out, PrintStream err) throws UsageException {
    Subcommand options = RunOptions.all();
    ParsedOptions parsed = options.parse(args);
    if (parsed.has("--help")) {
      out.print(options.help());
      return ExitCode.OK;
    }
    RunRequest request = new RunRequest(parsed, Terminal.isStdin());
    return new RunCommand(request, err).execute();
  }

  private int execute() throws UsageException {
    try (Report report = Report.open(request.report(), request.reportFile(), err);
        StopSignals signals = new StopSignals(request.terminal())) {
      if (request.verbose()) {
        Verbose.host(request.cgroupRoot(), err);
        for (String member : request.ignored()) {
          Complaint.print(err, "ignored     " + member);
        }
      }
      return run(report, signals);
    }
  }

  private int run(Report report, StopSignals signals) throws UsageException {
    try (Running running = request.run().start()) {
      signals.started(running);
      if (request.verbose()) {
        Verbose.job(running, err);
      }
      Result result = running.await();
      report.write(result);
      warnOfRemains(result);
      return ExitCode.of(result, signals.received());
    } catch (StartException failure) {
      if (failure.result().isPresent()) {
        report.write(failure.result().get());
        warnOfRemains(failure.result().get());
      }
      Complaint.print(err, failure, request.verbose());
      return ExitCode.of(failure);
    } catch (IOException | RuntimeException failure) {
      Complaint.print(err, HoldfastException.of(FAILED, failure, REMEDY), request.verbose());
      return ExitCode.OUR_FAILURE;
    } catch (InterruptedException stopped) {
      return ExitCode.ofSignal(signals.received());
    }
  }

  private void warnOfRemains(Result result) {
    if (!result.cleanup().removed()) {
      Complaint.print(
          err,
          "warning: something of the job is left: it did not end or could not be removed (look at "
              + (result.cgroupPaths().isEmpty()
                  ? "its processes"
                  : "the cgroup " + String.join(", ", result.cgroupPaths().values()))
              + ")");
    }
  }
}
