package dev.holdfast.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A setting of the kernel's, for guests: it has another value until this is closed. */
public final class Setting implements AutoCloseable {
  private final Path file;
  private final String former;

  public Setting(Path file, String value) throws IOException {
    this.file = file;
    former = chosen(Files.readString(file).strip());
    Files.writeString(file, value);
  }

  /** Of several words the one in brackets: {@code [none] mq-deadline bfq}. */
  private static String chosen(String shown) {
    int bracket = shown.indexOf('[');
    return bracket < 0 ? shown : shown.substring(bracket + 1, shown.indexOf(']'));
  }

  @Override
  public void close() throws IOException {
    Files.writeString(file, former);
  }
}
