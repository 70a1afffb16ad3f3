package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PidfdTest {
  /** The kernel says EINVAL of it, not ESRCH as of a number that names nothing. */
  @Test
  void aNumberThatOnlyNamesTheSessionOfOthersIsNoProcess() throws Exception {
    Process leader =
        new ProcessBuilder("setsid", "sh", "-c", "sleep 1000 >&- 2>&- & echo $!").start();
    int pid = Math.toIntExact(leader.pid());
    ProcessHandle member =
        ProcessHandle.of(Long.parseLong(leader.inputReader().readLine())).orElseThrow();
    try {
      assertThat(leader.waitFor()).isZero();
      ProcessTable.Entry entry = ProcessTable.system().entry(Math.toIntExact(member.pid()));
      assertThat(entry).isNotNull();
      assertThat(entry.session()).as("its number is in use").isEqualTo(pid);
      assertThat(Pidfd.openIfPresent(pid)).isNull();
    } finally {
      member.destroyForcibly();
    }
  }
}
