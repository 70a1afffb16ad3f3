package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.Limits;
import java.util.function.Consumer;

/**
 * One limit that a document asks for.
 *
 * @param path where it stands there
 * @param text what it shall be, in the library's words
 * @param call how a builder is told
 */
record Setting(String path, LimitKind kind, String text, Consumer<Limits.Builder> call) {
  static Setting of(String path, LimitKind kind, String text) {
    return new Setting(path, kind, text, builder -> builder.set(kind, text));
  }

  /** Tells {@code builder}, which may refuse it. */
  void addTo(Limits.Builder builder) throws HoldfastException {
    try {
      call.accept(builder);
    } catch (IllegalArgumentException refused) {
      throw Wrong.at(path, String.valueOf(refused.getMessage()), refused);
    }
  }
}
