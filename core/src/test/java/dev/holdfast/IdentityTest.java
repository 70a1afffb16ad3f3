package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class IdentityTest {
  /** To setresuid(2), setresgid(2) it means: as it is, which is who we are. */
  @Test
  void minusOneIsNobody() {
    for (List<Integer> ids : List.of(List.of(-1, 1, 1), List.of(1, -1, 1), List.of(1, 1, -1))) {
      assertThatThrownBy(() -> new Identity(ids.get(0), ids.get(1), ids.subList(2, 3)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("-1");
    }
    assertThat(new Identity(-2, 65534, List.of()).uid()).isEqualTo(-2);
  }
}
