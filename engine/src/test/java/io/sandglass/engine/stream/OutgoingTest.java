package io.sandglass.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.schemas.Pulse;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OutgoingTest {
  private static final Pulse BODY = new Pulse(Instant.EPOCH);

  @Test
  void goesWhereItIsAddressedTo() {
    assertThat(partition(Optional.of(0), 8)).contains(Set.of(0));
    assertThat(partition(Optional.of(7), 8)).contains(Set.of(7));
  }

  @Test
  void goesByItsKeyOtherwise() {
    assertThat(partition(Optional.empty(), 8)).isEmpty();
  }

  @Test
  void anAddressThatDoesNotExistIsNoAddress() {
    assertThat(partition(Optional.of(8), 8)).isEmpty();
    assertThat(partition(Optional.of(-1), 8)).isEmpty();
  }

  private static Optional<Set<Integer>> partition(Optional<Integer> partition, int count) {
    return Outgoing.partitioner().partitions("t", new byte[0], Outgoing.to(partition, BODY), count);
  }
}
