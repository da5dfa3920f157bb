package io.sandglass.api.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.api.control.RefusalBound.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class RefusalBoundTest {
  private static final Kind KIND = new Kind("key:1", "org_1", "foreign_organization");
  private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");

  private final RefusalBound bound = new RefusalBound(3);

  @Test
  void soManyOfAnHourAreNotedAndTheNextOneTellsOfTheRest() {
    for (int i = 0; i < 3; i++) {
      assertThat(bound.admit(KIND, NOON.plusSeconds(i))).isEqualTo(OptionalLong.of(0));
    }
    for (int i = 0; i < 1_000; i++) {
      assertThat(bound.admit(KIND, NOON.plusSeconds(i))).isEmpty();
    }
    Instant later = NOON.plus(Duration.ofHours(1));
    assertThat(bound.admit(KIND, later)).isEqualTo(OptionalLong.of(1_000));
    assertThat(bound.admit(KIND, later)).isEqualTo(OptionalLong.of(0));
  }

  @Test
  void anotherKeyOwnerOrReasonHasItsOwn() {
    for (int i = 0; i < 10; i++) {
      var _ = bound.admit(KIND, NOON);
    }
    assertThat(bound.admit(new Kind("key:2", "org_1", "foreign_organization"), NOON)).hasValue(0);
    assertThat(bound.admit(new Kind("key:1", "org_2", "foreign_organization"), NOON)).hasValue(0);
    assertThat(bound.admit(new Kind("key:1", "org_1", "quota_exceeded"), NOON)).hasValue(0);
  }

  @Test
  void whatCouldNotBeNotedCountsAsSuppressed() {
    OptionalLong first = bound.admit(KIND, NOON);
    bound.failed(KIND, first.getAsLong());
    OptionalLong second = bound.admit(KIND, NOON);
    assertThat(second).hasValue(1);
    bound.failed(KIND, second.getAsLong());

    assertThat(bound.admit(KIND, NOON)).hasValue(2);
  }

  @Test
  void withoutABoundAboveZeroNoneIs() {
    assertThat(new RefusalBound(0).admit(KIND, NOON)).isEmpty();
  }
}
