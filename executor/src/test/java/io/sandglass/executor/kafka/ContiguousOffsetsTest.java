package io.sandglass.executor.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class ContiguousOffsetsTest {
  private final ContiguousOffsets offsets = new ContiguousOffsets();

  @Test
  void hasNothingToCommitAtFirst() {
    assertThat(offsets.toCommit()).isEmpty();
  }

  @Test
  void neverPassesAnOrderThatIsNotDone() {
    offsets.opened(5);
    offsets.opened(6);
    offsets.opened(9);
    offsets.done(9);
    offsets.done(6);
    assertThat(offsets.toCommit()).isEqualTo(OptionalLong.of(5));

    offsets.done(5);
    assertThat(offsets.toCommit()).isEqualTo(OptionalLong.of(10));
    assertThat(offsets.inFlight()).isZero();
  }

  @Test
  void commitsNothingTwice() {
    offsets.opened(5);
    offsets.done(5);
    offsets.committed(6);
    assertThat(offsets.toCommit()).isEmpty();
  }

  @Test
  void commitsTheFirstOpenOneInAnyOrderOfEnds() {
    Random random = new Random(42);
    for (int round = 0; round < 200; round++) {
      ContiguousOffsets tracked = new ContiguousOffsets();
      List<Long> ends = new ArrayList<>();
      TreeSet<Long> open = new TreeSet<>();
      long offset = 0;
      for (int i = 0; i < 30; i++) {
        offset += 1 + random.nextInt(3);
        tracked.opened(offset);
        ends.add(offset);
        open.add(offset);
      }
      long last = offset;
      Collections.shuffle(ends, random);
      for (long end : ends) {
        tracked.done(end);
        open.remove(end);
        long committable = tracked.toCommit().orElseThrow();
        if (open.isEmpty()) {
          assertThat(committable).isEqualTo(last + 1);
        } else {
          assertThat(committable).isLessThanOrEqualTo(open.first());
          assertThat(open.headSet(committable)).isEmpty();
        }
      }
    }
  }
}
