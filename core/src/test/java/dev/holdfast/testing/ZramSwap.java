package dev.holdfast.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Swap on {@code /dev/zram0}, for guests: the whole machine has it until this is closed. */
public final class ZramSwap implements AutoCloseable {
  private static final Path BLOCK = Path.of("/sys/block/zram0");
  private static final String DEVICE = "/dev/zram0";

  public ZramSwap(String size) throws Exception {
    Files.writeString(BLOCK.resolve("disksize"), size);
    Tool.run("mkswap", DEVICE);
    Tool.run("swapon", DEVICE);
  }

  /** How many bytes of pages are there, as they were before they were compressed. */
  public long used() throws IOException {
    return Long.parseLong(Files.readString(BLOCK.resolve("mm_stat")).strip().split(" +", 2)[0]);
  }

  @Override
  public void close() throws Exception {
    Tool.run("swapoff", DEVICE);
    Files.writeString(BLOCK.resolve("reset"), "1");
  }
}
