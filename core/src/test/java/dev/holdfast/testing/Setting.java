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
    former = Files.readString(file);
    Files.writeString(file, value);
  }

  @Override
  public void close() throws IOException {
    Files.writeString(file, former);
  }
}
