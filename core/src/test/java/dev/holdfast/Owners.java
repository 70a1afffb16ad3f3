package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The owners of a test, in a group of its own: beside them nobody else makes an anchor, and sweeps.
 * After the test nothing is left of them.
 */
final class Owners implements BeforeEachCallback, AfterEachCallback {
  static final int NOBODY = 65534;

  /** A script that becomes the words behind it, as an ordinary user. */
  static final String AS_NOBODY =
      "cd /; exec setpriv --reuid=" + NOBODY + " --regid=" + NOBODY + " --clear-groups \"$@\"";

  private final List<Owner> all = new ArrayList<>();
  private Cgroup group;

  @Override
  public void beforeEach(ExtensionContext test) throws IOException {
    group = Delegation.find().create("hf-owners-" + ProcessHandle.current().pid());
  }

  @Override
  public void afterEach(ExtensionContext test) throws IOException {
    all.forEach(Owner::end);
    group.close();
    assertThat(all).allSatisfy(owner -> assertThat(owner.members()).isEmpty());
  }

  Cgroup group() {
    return group;
  }

  /** Those of the group, in every hierarchy. */
  List<Path> directories() {
    return Stream.concat(group.unifiedDirectory().stream(), group.v1Directories().stream())
        .toList();
  }

  /**
   * What a JVM of an ordinary user is started behind, who gets the group, and is in it: he could
   * not move anybody into it.
   */
  List<String> asNobody() throws IOException {
    group.delegateTo(NOBODY, NOBODY);
    StringBuilder script = new StringBuilder("set -e; ");
    for (Path directory : directories()) {
      script.append("echo $$ >'").append(directory).append("/cgroup.procs'; ");
    }
    return List.of("sh", "-c", script + AS_NOBODY, "sh");
  }

  /** The files of a group that are that user's. */
  static List<Path> filesOfNobody(Path group) throws IOException {
    List<Path> own = new ArrayList<>();
    try (Stream<Path> files = Files.list(group)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Files.getAttribute(file, "unix:uid").equals(NOBODY)) {
          own.add(file);
        }
      }
    }
    return own;
  }

  /** As {@link Owner#Owner}, with its anchor in the group. */
  Owner start(List<String> before, String classPath, Owner.First first) throws IOException {
    return start(before, classPath, first, Optional.of(Groups.membership(directories())));
  }

  /** As {@link Owner#Owner}. */
  Owner start(List<String> before, String classPath, Owner.First first, Optional<Path> root)
      throws IOException {
    Owner owner = new Owner(before, classPath, first, root);
    all.add(owner);
    return owner;
  }
}
