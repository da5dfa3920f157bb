package io.sandglass.api.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class HistoryCursorTest {

  @Test
  void anyCursorIsReadBack() {
    Random random = new Random(20_261_124);
    for (int i = 0; i < 2_000; i++) {
      Map<Integer, Long> next = new HashMap<>();
      for (int j = random.nextInt(8); j > 0; j--) {
        next.put(random.nextInt(1024), random.nextLong() >>> (9 + random.nextInt(50)));
      }
      HistoryCursor cursor = HistoryCursor.of(next);

      assertThat(cursor.text()).matches("[0-9a-z-]+");
      assertThat(HistoryCursor.parse(cursor.text())).contains(cursor);
    }
  }

  @Test
  void anythingElseIsNone() {
    for (String text :
        new String[] {
          "", "h", "h2-1", "h1-", "h1-Z", "h1--é", "h1-000000000000", "1", "h1-1 ", "h1\n", "h1-A"
        }) {
      assertThat(HistoryCursor.parse(text).filter(cursor -> !cursor.next().isEmpty()))
          .as(text)
          .isEmpty();
    }
    assertThat(HistoryCursor.parse("h1-" + "z".repeat(12))).isEmpty();
    assertThat(HistoryCursor.parse("h1" + "-1".repeat(1025))).isEmpty();
  }

  @Test
  void readingMovesOnlyForward() {
    HistoryCursor cursor = HistoryCursor.START.after(3, 10).after(0, 2);

    assertThat(cursor.in(3)).isEqualTo(11);
    assertThat(cursor.after(3, 5)).isEqualTo(cursor);
    assertThat(cursor.and(HistoryCursor.of(Map.of(0, 1L, 1, 4L))).text()).isEqualTo("h1-3-4--b");
  }
}
