package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;

/** Pressure stall information; every v2 group has it unless the kernel was booted without. */
final class Pressure implements Controller {
  private static final String SOME = "some ";

  private final Directory group;

  Pressure(Directory group) {
    this.group = group;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.cpuSome = PressureStall.total(figures.read(group, "cpu.pressure"), SOME);
    figures.memorySome = PressureStall.total(figures.read(group, "memory.pressure"), SOME);
    figures.ioSome = PressureStall.total(figures.read(group, "io.pressure"), SOME);
  }
}
