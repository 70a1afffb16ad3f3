package dev.holdfast;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Text on its way to the kernel, which takes any bytes. It is UTF-8; a lone surrogate from U+DC80
 * to U+DCFF stands for the byte 80 to FF that is no UTF-8, as in Python's {@code surrogateescape}.
 */
final class RawText {
  private RawText() {}

  static byte[] bytes(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isByte(text, i)) {
        return withBytes(text);
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
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
    return c >= 0xDC80
        && c <= 0xDCFF
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }
}
