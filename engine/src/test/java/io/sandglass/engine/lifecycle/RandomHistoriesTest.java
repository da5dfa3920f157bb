package io.sandglass.engine.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Transitions.Transition;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.StateCodec;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;

/**
 * New histories at every run. The seed of one that fails is told; {@code
 * -Dsandglass.histories.seed=} runs it alone, {@code -Dsandglass.histories.count=} runs more.
 */
class RandomHistoriesTest {
  private static final int COUNT = Integer.getInteger("sandglass.histories.count", 20_000);

  /** Every event as it goes to Kafka and back, every state as it goes to the store and back. */
  private static final Walk.RoundTrip BYTES =
      new Walk.RoundTrip() {
        @Override
        public Event event(Event event, Sandbox after) {
          byte[] bytes = WireFormat.encode(EventWriter.write("sbx_1", event, after));
          return switch (WireFormat.decode(bytes)) {
            case Decoded.Known(SpecificRecord record) -> EventReader.read(record).event();
            case Decoded.Unknown _, Decoded.Malformed _ ->
                throw new AssertionError("Broken: an event can be read back: " + event);
          };
        }

        @Override
        public Sandbox state(Sandbox state) {
          return StateCodec.decodeKept(StateCodec.encode(new Kept(state, ChainHash.SANDBOX)))
              .sandbox();
        }
      };

  @Test
  void theRulesHoldAfterEveryStepOfEveryHistory() {
    Set<Transition> taken = new HashSet<>();
    Long alone = Long.getLong("sandglass.histories.seed");
    if (alone != null) {
      walk(alone, taken);
      return;
    }
    long first = RandomGenerator.getDefault().nextLong();
    for (long seed = first; seed != first + COUNT; seed++) {
      walk(seed, taken);
    }
    assertThat(taken)
        .as("every declared transition is taken, %s histories from seed %s on", COUNT, first)
        .containsExactlyInAnyOrderElementsOf(Transitions.DECLARED);
  }

  private static void walk(long seed, Set<Transition> taken) {
    try {
      new Walk(seed, BYTES, taken).run();
    } catch (AssertionError broken) {
      throw new AssertionError(
          "History broken; run it alone with -Dsandglass.histories.seed=" + seed, broken);
    }
  }
}
