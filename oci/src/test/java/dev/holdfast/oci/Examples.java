package dev.holdfast.oci;

import dev.holdfast.Command;
import dev.holdfast.Result;
import dev.holdfast.Run;
import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The examples of docs/oci.md, of the package and of OciGroups: core's ExamplesTest holds them
 * equal.
 */
final class Examples {
  private Examples() {}

  static Result run(Path bundle) throws IOException, InterruptedException {
    OciSpec spec = OciSpec.read(bundle.resolve("config.json"));
    Command make = spec.applyTo(Command.of("make").directory(bundle));
    Result result = Run.of(make).limits(spec.limits()).run();
    return result;
  }

  static void groups(OciSpec spec, long pid) throws IOException {
    try (OciGroups groups = new OciGroups(Delegation.find());
        Cgroup group = groups.create(spec.cgroupsPath().orElseThrow())) {
      group.apply(spec.limits());
      group.attach(pid);
    }
  }
}
