package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import org.jspecify.annotations.Nullable;

/** Words for what is wrong in a document. */
final class Wrong {
  private static final String REMEDY = "change it in the document, or leave it out";

  private Wrong() {}

  /** At {@code path} stands something that cannot be taken. */
  static HoldfastException at(String path, String why) {
    return at(path, why, null);
  }

  static HoldfastException at(String path, String why, @Nullable Throwable cause) {
    return new HoldfastException(path, why, REMEDY, cause);
  }
}
