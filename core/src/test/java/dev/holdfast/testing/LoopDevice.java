package dev.holdfast.testing;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** A block device over a file, for guests, until this is closed. */
public final class LoopDevice implements AutoCloseable {
  private final Path file;
  private final Path device;

  public LoopDevice(long bytes) throws Exception {
    file = Files.createTempFile("holdfast", ".disk");
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength(bytes);
    }
    device = Path.of(Tool.run("losetup", "--find", "--show", file.toString()));
  }

  /** Such as {@code /dev/loop0}. */
  public Path path() {
    return device;
  }

  /** Such as {@code 7:0}, as the kernel itself tells it. */
  public String number() throws IOException {
    return Files.readString(Path.of("/sys/block").resolve(device.getFileName()).resolve("dev"))
        .strip();
  }

  @Override
  public void close() throws Exception {
    Tool.run("losetup", "--detach", device.toString());
    Files.delete(file);
  }
}
