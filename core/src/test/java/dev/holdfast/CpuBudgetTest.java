package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How often a budget of CPU time is looked at, without a clock. */
class CpuBudgetTest {
  private static final long MILLISECOND = 1_000_000;

  @Test
  void aBusyJobIsLookedAtWhenItCanBeOverAtTheEarliest() {
    CpuBudget budget = new CpuBudget(() -> 0, Duration.ofSeconds(1), 2, 0);
    assertThat(budget.nextLook()).isEqualTo(500 * MILLISECOND);
    assertThat(budget.isExceeded(600 * MILLISECOND, 500 * MILLISECOND)).isFalse();
    assertThat(budget.nextLook()).isEqualTo(700 * MILLISECOND);
    assertThat(budget.isExceeded(1000 * MILLISECOND, 700 * MILLISECOND)).isTrue();
  }

  @Test
  void anIdleJobIsLookedAtSeldomUpToTheLast() {
    CpuBudget budget = new CpuBudget(() -> 0, Duration.ofSeconds(1), 2, 0);
    long now = 0;
    int looks = 0;
    while (now < 60_000 * MILLISECOND) {
      now = budget.nextLook();
      looks++;
      assertThat(budget.isExceeded(999 * MILLISECOND, now)).isFalse();
    }
    assertThat(looks).isLessThan(11 * 60);
  }

  /** However it starts and stops, on all CPUs at once. */
  @Test
  void noJobGetsFarOverItsBudget() {
    for (int cpus : new int[] {1, 2, 8, 64}) {
      for (long quiet = 0; quiet < 5000; quiet += 7) {
        CpuBudget budget = new CpuBudget(() -> 0, Duration.ofSeconds(1), cpus, 0);
        long before = 990 * MILLISECOND;
        long burst = quiet * MILLISECOND;
        long used = before;
        budget.isExceeded(used, 0);
        while (true) {
          long now = budget.nextLook();
          used = before + Math.max(now - burst, 0) * cpus;
          if (budget.isExceeded(used, now)) {
            break;
          }
        }
        assertThat(used).isLessThanOrEqualTo(1300 * MILLISECOND);
      }
    }
  }
}
