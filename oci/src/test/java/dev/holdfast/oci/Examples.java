package dev.holdfast.oci;

import dev.holdfast.Command;
import dev.holdfast.Result;
import dev.holdfast.Run;
import java.io.IOException;
import java.nio.file.Path;

/** The example of docs/oci.md and of the package: core's ExamplesTest holds them equal. */
final class Examples {
  private Examples() {}

  static Result run(Path bundle) throws IOException, InterruptedException {
    OciSpec spec = OciSpec.read(bundle.resolve("config.json"));
    Command make = spec.applyTo(Command.of("make").directory(bundle));
    Result result = Run.of(make).limits(spec.limits()).run();
    return result;
  }
}
