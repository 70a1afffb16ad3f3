package dev.holdfast.linux;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;

/**
 * Text on its way to the kernel and back, which takes and gives any bytes. It is UTF-8; a lone
 * surrogate from U+DC80 to U+DCFF stands for the byte 80 to FF that is no UTF-8, as in Python's
 * {@code surrogateescape}.
 *
 * <p>Java's paths hold bytes too, but text becomes a path, and a path text, by way of the locale:
 * in the POSIX locale a name beyond ASCII cannot be given, and is lost when it is asked for. The
 * bytes can be had all the same, in a {@code file:} URI, whose escapes are never decoded.
 */
public final class RawText {
  private static final int ESCAPE = 0xDC00;
  private static final Path ROOT = Path.of("/");

  private RawText() {}

  /** The bytes that {@code text} stands for. */
  public static byte[] bytes(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isByte(text, i)) {
        return withBytes(text);
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The text that stands for {@code bytes}. */
  public static String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException notUtf8) {
      return escape(bytes);
    }
  }

  /** The path whose bytes {@code text} stands for, in every locale. */
  public static Path path(String text) {
    if (isPlain(text)) {
      return Path.of(text);
    }
    StringBuilder uri = new StringBuilder("file:///");
    for (byte b : bytes(text)) {
      char c = (char) (b & 0xFF);
      if (c != '/' || uri.charAt(uri.length() - 1) != '/') {
        uri.append(isUnreserved(c) ? String.valueOf(c) : String.format("%%%02X", (int) c));
      }
    }
    Path absolute = Path.of(URI.create(uri.toString()));
    return text.startsWith("/") ? absolute : absolute.subpath(0, absolute.getNameCount());
  }

  /** The bytes of {@code path}, in every locale. */
  public static byte[] bytes(Path path) {
    String text = path.toString();
    if (isPlain(text) || !path.getFileSystem().equals(FileSystems.getDefault())) {
      return bytes(text);
    }
    String uri = ROOT.resolve(path).toUri().getRawPath();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length());
    // Java marks directories with a slash.
    int end = uri.length() > 1 && uri.endsWith("/") ? uri.length() - 1 : uri.length();
    for (int i = path.isAbsolute() ? 0 : 1; i < end; i++) {
      if (uri.charAt(i) == '%') {
        bytes.write(Integer.parseInt(uri.substring(i + 1, i + 3), 16));
        i += 2;
      } else {
        bytes.write(uri.charAt(i));
      }
    }
    return bytes.toByteArray();
  }

  /** The text that stands for the bytes of {@code path}. */
  public static String text(Path path) {
    String text = path.toString();
    return isPlain(text) ? text : text(bytes(path));
  }

  /**
   * Whether every locale reads and writes {@code text} alike. What it cannot read becomes a
   * question mark, or U+FFFD.
   */
  public static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '?' || c >= 0x80) {
        return false;
      }
    }
    return true;
  }

  private static byte[] withBytes(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 16);
    int begin = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isByte(text, i)) {
        bytes.writeBytes(text.substring(begin, i).getBytes(StandardCharsets.UTF_8));
        bytes.write(text.charAt(i) & 0xFF);
        begin = i + 1;
      }
    }
    bytes.writeBytes(text.substring(begin).getBytes(StandardCharsets.UTF_8));
    return bytes.toByteArray();
  }

  private static boolean isByte(String text, int at) {
    char c = text.charAt(at);
    return c >= ESCAPE + 0x80
        && c <= ESCAPE + 0xFF
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }

  private static String escape(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length; ) {
      int length = characterLength(bytes, i);
      if (length == 0) {
        text.append((char) (ESCAPE + (bytes[i] & 0xFF)));
        i++;
      } else {
        text.append(new String(bytes, i, length, StandardCharsets.UTF_8));
        i += length;
      }
    }
    return text.toString();
  }

  /** How many bytes the UTF-8 character at {@code at} has; 0 if there is none. */
  private static int characterLength(byte[] bytes, int at) {
    for (int length = 1; length <= 4 && at + length <= bytes.length; length++) {
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, at, length));
        return length;
      } catch (CharacterCodingException longerOrNone) {
        // look at one more byte
      }
    }
    return 0;
  }

  /** RFC 3986: what needs no escape in a path, less what we need not know. */
  private static boolean isUnreserved(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '/'
        || c == '-'
        || c == '.'
        || c == '_'
        || c == '~';
  }
}
