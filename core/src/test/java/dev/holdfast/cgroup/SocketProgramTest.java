package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SocketProgramTest {
  @Test
  void setsOneWordAndLetsTheSocketBe() {
    int[] socket = {1, 2, 3, 4, 5, 6, 7};
    assertThat(BpfMachine.run(SocketProgram.mark((int) 0xfffffff0L), socket)).isOne();
    assertThat(socket).containsExactly(1, 2, 3, 4, 0xfffffff0, 6, 7);
    assertThat(BpfMachine.run(SocketProgram.priority(9), socket)).isOne();
    assertThat(socket).containsExactly(1, 2, 3, 4, 0xfffffff0, 9, 7);
  }
}
