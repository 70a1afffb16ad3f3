package dev.holdfast;

import java.io.IOException;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Before the tests of a class, whichever comes first: we move to a leaf of our own group. Whom we
 * start is in it too then, and may make groups.
 */
final class FromALeaf implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    Job.open().close();
  }
}
