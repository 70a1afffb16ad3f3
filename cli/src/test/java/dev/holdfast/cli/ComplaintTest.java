package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ComplaintTest {
  @Test
  void isOneLineOfText() {
    assertThat(Complaint.oneLine("plain ü 漢 \uD83D\uDE00")).isEqualTo("plain ü 漢 \uD83D\uDE00");
    assertThat(Complaint.oneLine("a\nb\u001b[1m\uDCE9\uD83D")).isEqualTo("a?b?[1m??");
  }
}
