package dev.holdfast.testing;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** A block device over a file, for guests, until this is closed. */
public final class LoopDevice implements AutoCloseable {
  private final Path file;
  private final Path device;
  private final Deque<Setting> settings = new ArrayDeque<>();

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
    return Files.readString(block().resolve("dev")).strip();
  }

  private Path block() {
    return Path.of("/sys/block").resolve(device.getFileName());
  }

  /**
   * Has a scheduler put the requests in order, such as {@code bfq}. It brings settings of its own,
   * which are named {@code iosched/NAME} and go with it.
   */
  public void scheduler(String name) throws IOException {
    queue("scheduler", name);
  }

  /** A setting of its queue of requests, such as {@code max_sectors_kb}; undone in the end. */
  public void queue(String name, String value) throws IOException {
    settings.push(new Setting(block().resolve("queue").resolve(name), value));
  }

  @Override
  public void close() throws Exception {
    while (!settings.isEmpty()) {
      settings.pop().close();
    }
    Tool.run("losetup", "--detach", device.toString());
    Files.delete(file);
  }
}
