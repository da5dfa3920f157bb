package io.sandglass.api.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RetryScheduleTest {
  private static final RetrySchedule THREE_DAYS =
      new RetrySchedule(Duration.ofSeconds(5), Duration.ofHours(12), Duration.ofHours(72));
  private static final Instant BEGUN = Instant.parse("2026-11-25T12:00:00Z");

  private static List<Duration> pauses(double chance) {
    List<Duration> pauses = new ArrayList<>();
    Instant now = BEGUN;
    Optional<Instant> next = THREE_DAYS.next(BEGUN, 1, now, chance);
    while (next.isPresent()) {
      pauses.add(Duration.between(now, next.get()));
      now = next.get();
      next = THREE_DAYS.next(BEGUN, pauses.size() + 1, now, chance);
    }
    return pauses;
  }

  @Test
  void pausesGrowToTheLongest() {
    assertThat(pauses(0.5))
        .startsWith(
            Duration.ofSeconds(5),
            Duration.ofSeconds(20),
            Duration.ofSeconds(80),
            Duration.ofSeconds(320),
            Duration.ofSeconds(1_280),
            Duration.ofSeconds(5_120),
            Duration.ofSeconds(20_480),
            Duration.ofHours(12),
            Duration.ofHours(12))
        .hasSize(13);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.3, 0.5, 0.999})
  void theLastAttemptIsThreeDaysAfterTheFirst(double chance) {
    assertThat(pauses(chance).stream().reduce(Duration.ZERO, Duration::plus))
        .isEqualTo(Duration.ofDays(3));
  }

  @Test
  void chanceSpreadsThemByAFifth() {
    assertThat(pauses(0).getFirst()).isEqualTo(Duration.ofSeconds(4));
    assertThat(pauses(1).getFirst()).isEqualTo(Duration.ofSeconds(6));
  }

  @Test
  void whatIsAskedForIsRespectedUpToTheLongestPause() {
    assertThat(THREE_DAYS.bounded(BEGUN, BEGUN.plusSeconds(7))).isEqualTo(BEGUN.plusSeconds(7));
    assertThat(THREE_DAYS.bounded(BEGUN, BEGUN.plus(Duration.ofDays(2))))
        .isEqualTo(BEGUN.plus(Duration.ofHours(12)));
  }

  @Test
  void anAttemptThatComesLateIsTheLast() {
    assertThat(THREE_DAYS.next(BEGUN, 3, BEGUN.plus(Duration.ofDays(4)), 0.5)).isEmpty();
    assertThat(THREE_DAYS.next(BEGUN, 2_000, BEGUN, 0.5))
        .contains(BEGUN.plus(Duration.ofHours(12)));
  }
}
