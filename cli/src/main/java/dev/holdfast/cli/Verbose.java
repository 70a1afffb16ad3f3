package dev.holdfast.cli;

import dev.holdfast.Host;
import dev.holdfast.Job;
import dev.holdfast.Running;
import dev.holdfast.cgroup.AppliedLimit;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code --verbose} tells on stderr: what was found, what was chosen, what the kernel took.
 */
final class Verbose {
  private Verbose() {}

  static void host(Optional<Path> cgroupRoot, PrintStream err) {
    for (String finding : DoctorText.findings(Host.probe(cgroupRoot))) {
      Complaint.print(err, finding);
    }
  }

  static void job(Running running, PrintStream err) {
    Job job = running.job();
    Complaint.print(err, "chosen      " + job.mechanism().text() + " for the job " + job.name());
    for (Map.Entry<String, String> path : job.cgroupPaths().entrySet()) {
      Complaint.print(err, "cgroup      " + path.getKey() + " " + path.getValue());
    }
    for (AppliedLimit limit : job.limits()) {
      Complaint.print(err, "limit       " + TextReport.limit(limit));
    }
    Complaint.print(err, "pid         " + running.child().pid());
  }
}
