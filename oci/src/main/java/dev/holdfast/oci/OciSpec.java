package dev.holdfast.oci;

import dev.holdfast.Command;
import dev.holdfast.ResourceLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What an OCI runtime configuration says about resources. Immutable and thread-safe.
 *
 * @param ociVersion the version of the specification that the document follows
 * @param resources {@code linux.resources}
 * @param cgroupsPath {@code linux.cgroupsPath}
 * @param resourceLimits {@code process.rlimits}
 * @param oomScoreAdj {@code process.oomScoreAdj}, −1000 to 1000
 */
public record OciSpec(
    String ociVersion,
    OciResources resources,
    Optional<CgroupsPath> cgroupsPath,
    List<ResourceLimit> resourceLimits,
    OptionalInt oomScoreAdj) {
  private static final int MOST_BYTES = 16 << 20;
  private static final int WORST_SCORE = 1000;

  public OciSpec {
    resourceLimits = List.copyOf(resourceLimits);
  }

  /**
   * Reads a {@code config.json}.
   *
   * @throws HoldfastException if it cannot be read, is no JSON, or something in it is wrong
   */
  public static OciSpec read(Path file) throws HoldfastException {
    byte[] text;
    try (InputStream in = Files.newInputStream(file)) {
      text = in.readNBytes(MOST_BYTES + 1);
    } catch (NoSuchFileException missing) {
      throw new HoldfastException(
          "cannot read " + file, "there is no such file", "give a config.json", missing);
    } catch (IOException unreadable) {
      throw new HoldfastException(
          "cannot read " + file,
          String.valueOf(unreadable.getMessage()),
          "give a config.json that you may read",
          unreadable);
    }
    return parse(text);
  }

  /** As {@link #read}, from a text. */
  public static OciSpec parse(String json) throws HoldfastException {
    return parse(json.getBytes(StandardCharsets.UTF_8));
  }

  private static OciSpec parse(byte[] text) throws HoldfastException {
    if (text.length > MOST_BYTES) {
      throw new HoldfastException(
          "the document is no configuration",
          "it has more than " + (MOST_BYTES >> 20) + " MiB",
          "give the config.json of an OCI bundle",
          null);
    }
    Node document = Json.parse(text);
    Node linux = document.get("linux");
    Node process = document.get("process");
    Optional<String> cgroupsPath = linux.get("cgroupsPath").text();
    return new OciSpec(
        version(document.get("ociVersion")),
        OciResources.read(linux.get("resources")),
        cgroupsPath.isEmpty() || cgroupsPath.get().isEmpty()
            ? Optional.empty()
            : Optional.of(CgroupsPath.read(linux.get("cgroupsPath"))),
        OciRlimits.read(process.get("rlimits")),
        process.get("oomScoreAdj").integer(-WORST_SCORE, WORST_SCORE));
  }

  /** Without a version it is no configuration: a resources object alone, perhaps. */
  private static String version(Node node) throws HoldfastException {
    String version = node.required().text().orElseThrow();
    if (!version.matches("1\\.[0-9]+\\.[0-9]+([-+].*)?")) {
      throw node.expected("version 1 of the OCI runtime specification, such as \"1.2.0\"");
    }
    return version;
  }

  /** As {@link OciResources#limits}. */
  public Limits limits() throws HoldfastException {
    return resources.limits();
  }

  /** {@code command} with {@link #resourceLimits} and {@link #oomScoreAdj}. */
  public Command applyTo(Command command) {
    Command changed =
        oomScoreAdj.isPresent() ? command.oomScoreAdj(oomScoreAdj.getAsInt()) : command;
    for (ResourceLimit limit : resourceLimits) {
      changed = changed.resourceLimit(limit);
    }
    return changed;
  }
}
