package dev.holdfast;

import dev.holdfast.linux.RawText;
import java.nio.file.Path;

/**
 * Text that came from the kernel, such as arguments, and goes back to it byte for byte, whatever
 * the locale. It is UTF-8; a lone surrogate from U+DC80 to U+DCFF stands for the byte 80 to FF that
 * is no UTF-8. The arguments and the environment of a {@link Command} are such text.
 */
public final class KernelText {
  private KernelText() {}

  /** The text that stands for {@code bytes}. */
  public static String of(byte[] bytes) {
    return RawText.text(bytes);
  }

  /**
   * The path that {@code text} names. {@link Path#of} cannot name it in the POSIX locale if it has
   * more than ASCII; nor does Java know the working directory then if that has, so a relative path
   * becomes an absolute one.
   *
   * @throws IllegalArgumentException if it has a NUL
   */
  public static Path path(String text) {
    Path path = RawText.path(text);
    return OwnDirectory.isKnown() ? path : OwnDirectory.resolve(path);
  }

  /** Whether every locale reads {@code text} alike: it is ASCII without a question mark. */
  public static boolean isPlain(String text) {
    return RawText.isPlain(text);
  }
}
