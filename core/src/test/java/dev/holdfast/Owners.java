package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import java.io.IOException;
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
