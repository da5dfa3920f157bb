package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.scenario;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.audit.Checkpoint;
import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.audit.PublicKeys;
import io.sandglass.engine.wire.CheckpointRecords;
import io.sandglass.schemas.ChainHash;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the engine writes so that a changed log shows. */
class ChainTest {

  @Test
  void everyEventCarriesTheHashOfItsHistory() {
    try (Scenario s = scenario().running("s1").running("s2").destroy("s1").gone("s1")) {
      for (String id : List.of("s1", "s2")) {
        ChainHash chain = ChainHash.SANDBOX;
        for (Rig.Sent event : s.events(id)) {
          chain = chain.then(id.getBytes(UTF_8), event.value().get());
          assertThat(event.chain()).contains(chain);
        }
        assertThat(s.rig().allSandboxes().get(id).chain()).isEqualTo(chain);
      }
      assertThat(s.orders("s1")).allSatisfy(order -> assertThat(order.chain()).isEmpty());
    }
  }

  @Test
  void aPartitionThatGrewGetsACheckpoint() {
    try (Scenario s = scenario().running("s1").running("s2")) {
      s.advance(Rig.CHECKPOINTS).advance(Rig.CHECKPOINTS);
      assertThat(s.checkpoints()).as("nothing happened in the second minute").hasSize(1);
      assertThat(s.checkpoints().getFirst().partition()).contains(0);
      s.reboot().destroy("s1").advance(Rig.CHECKPOINTS);
      List<Checkpoint> checkpoints =
          s.checkpoints().stream()
              .map(sent -> CheckpointRecords.read(sent.body()))
              .peek(signed -> assertThat(ours().vouchFor(signed)).isTrue())
              .map(Checkpoint.Signed::checkpoint)
              .toList();
      assertThat(checkpoints).extracting(Checkpoint::sequence).containsExactly(1L, 2L);
      assertThat(checkpoints.getFirst().events()).isEqualTo(4);
      assertThat(checkpoints.getFirst().head()).isEqualTo(head(s.events().subList(0, 4)));
      assertThat(checkpoints.getFirst().last()).isEqualTo(new Ledger.Last("s2", 2));
      assertThat(checkpoints.getLast().events()).isEqualTo(s.events().size());
      assertThat(checkpoints.getLast().head()).isEqualTo(head(s.events()));
    }
  }

  private static PublicKeys ours() {
    return new PublicKeys(List.of(Rig.KEY.publicKey()));
  }

  private static ChainHash head(List<Rig.Sent> events) {
    ChainHash head = ChainHash.PARTITION;
    for (Rig.Sent event : events) {
      head = head.then(event.chain().orElseThrow());
    }
    return head;
  }
}
