package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdListTest {
  private static final int ROUNDS = 20_000;

  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "0, 0",
    "'0-3,7', '0-3,7'",
    "'7,0,1,2,3', '0-3,7'",
    "'0-1,2-3', 0-3",
    "'1-5,3-9,4', 1-9",
    "'5-5', 5",
    "'007', 7",
    "'0-65535', 0-65535"
  })
  void isAsShortAsCanBe(String text, String shortest) {
    assertThat(IdList.parse(text)).hasToString(shortest);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ",",
        "0,",
        ",0",
        "-",
        "1-",
        "-1",
        "3-1",
        "0--1",
        "1-2-3",
        " 0",
        "0 ",
        "0\n",
        "a",
        "+1",
        "65536",
        "0-65536",
        "99999999999999999999",
        "0-31:2/4",
        "all",
        "٣"
      })
  void whatIsNone(String text) {
    assertThatThrownBy(() -> IdList.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\" is not a list such as 0-3,7");
  }

  @Test
  void contains() {
    IdList list = IdList.parse("0-3,7");
    assertThat(list.contains(IdList.parse("1-2,7"))).isTrue();
    assertThat(list.contains(IdList.parse(""))).isTrue();
    assertThat(list.contains(IdList.parse("3-4"))).isFalse();
    assertThat(IdList.parse("").contains(IdList.parse("0"))).isFalse();
    assertThat(IdList.parse("").isEmpty()).isTrue();
    assertThat(list.isEmpty()).isFalse();
  }

  /** Any set is read as it is, however it is put. */
  @Test
  void anySetComesBack() {
    Damage damage = new Damage(getClass());
    for (int round = 0; round < ROUNDS; round++) {
      BitSet ids = new BitSet();
      StringBuilder text = new StringBuilder();
      for (int ranges = damage.random.nextInt(6); ranges > 0; ranges--) {
        int first = damage.random.nextInt(200);
        int last = first + damage.random.nextInt(5);
        ids.set(first, last + 1);
        text.append(text.isEmpty() ? "" : ",").append(first);
        text.append(last == first ? "" : "-" + last);
      }
      check(text.toString(), ids);
    }
  }

  @Test
  void damagedLists() {
    Damage damage = new Damage(getClass());
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String text = damage.of(damage.any(List.of("0-3,7", "0", "12-15,1,2,3", "0-127")));
      try {
        IdList list = IdList.parse(text);
        read++;
        check(text, ids(text));
        assertThat(IdList.parse(list.toString())).hasToString(list.toString());
      } catch (IllegalArgumentException refused) {
        assertThat(refused.getMessage()).contains("is not a list such as");
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }

  private static void check(String text, BitSet ids) {
    IdList list = IdList.parse(text);
    if (!ids(list.toString()).equals(ids) || list.isEmpty() != ids.isEmpty()) {
      throw new AssertionError("\"" + text + "\" is read as " + list);
    }
  }

  /** As anybody would read it, who is given only what is one. */
  private static BitSet ids(String text) {
    assertThat(text).matches("([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?");
    BitSet ids = new BitSet();
    for (String range : text.isEmpty() ? new String[0] : text.split(",")) {
      String[] ends = range.split("-");
      ids.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
    }
    return ids;
  }
}
