package dev.holdfast.testing;

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

  @Override
  public void close() throws Exception {
    Tool.run("swapoff", DEVICE);
    Files.writeString(BLOCK.resolve("reset"), "1");
  }
}
