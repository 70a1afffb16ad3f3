package dev.holdfast.cli;

import dev.holdfast.Command;
import dev.holdfast.KernelText;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.oci.OciSpec;
import java.util.List;

/** The file of {@code --oci}. In a class of its own, so that nobody else loads what reads it. */
final class OciFile {
  private final OciSpec spec;

  private OciFile(OciSpec spec) {
    this.spec = spec;
  }

  static OciFile read(String file) throws UsageException {
    try {
      return new OciFile(OciSpec.read(KernelText.path(file)));
    } catch (HoldfastException wrong) {
      throw usage(wrong);
    } catch (IllegalArgumentException wrong) {
      throw new UsageException(
          "bad --oci", String.valueOf(wrong.getMessage()), "give the path of a config.json");
    }
  }

  /** Adds its limits to {@code limits}, and to {@code command} those of a process. */
  Command addTo(Limits.Builder limits, Command command) throws UsageException {
    try {
      spec.resources().addTo(limits);
      return spec.applyTo(command);
    } catch (HoldfastException wrong) {
      throw usage(wrong);
    }
  }

  /** What it says and nobody does, each with why. */
  List<String> ignored() {
    List<String> ignored = spec.resources().ignored();
    if (spec.cgroupsPath().isPresent()) {
      ignored.add("linux.cgroupsPath: the job lies in the delegated subtree");
    }
    return ignored;
  }

  private static UsageException usage(HoldfastException wrong) {
    return new UsageException("bad --oci", wrong.what() + ": " + wrong.why(), wrong.remedy());
  }
}
