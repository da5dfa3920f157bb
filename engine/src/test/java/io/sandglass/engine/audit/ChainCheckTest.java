package io.sandglass.engine.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.schemas.ChainHash;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Every way to tamper with a partition is found and named. */
class ChainCheckTest {

  /** An event, with whatever bytes. */
  private record Written(String id, long version, String value, Optional<ChainHash> hash) {
    Written withValue(String other) {
      return new Written(id, version, other, hash);
    }
  }

  private final List<Written> log = new ArrayList<>();
  private final List<Checkpoint> checkpoints = new ArrayList<>();
  private final Map<String, ChainHash> hashes = new HashMap<>();
  private Ledger ledger = Ledger.EMPTY;

  /** Three sandboxes' lives of four events, in turn, with a checkpoint after every five. */
  ChainCheckTest() {
    for (long version = 1; version <= 4; version++) {
      for (String id : List.of("a", "b", "c")) {
        log.add(next(id, version));
        ledger = ledger.with(id, version, hashes.get(id));
        if (ledger.events() % 5 == 0) {
          checkpoint();
        }
      }
    }
  }

  private Written next(String id, long version) {
    String value = id + version;
    ChainHash before = hashes.getOrDefault(id, ChainHash.SANDBOX);
    ChainHash hash = before.then(id.getBytes(UTF_8), value.getBytes(UTF_8));
    hashes.put(id, hash);
    return new Written(id, version, value, Optional.of(hash));
  }

  private void checkpoint() {
    checkpoints.add(ledger.checkpoint(0, Instant.EPOCH).orElseThrow());
    ledger = ledger.afterCheckpoint();
  }

  private List<String> found() {
    List<String> found = new ArrayList<>();
    ChainCheck check = new ChainCheck(0, checkpoints, finding -> found.add(finding.toString()));
    for (int offset = 0; offset < log.size(); offset++) {
      Written event = log.get(offset);
      check.event(
          offset,
          event.id().getBytes(UTF_8),
          event.value().getBytes(UTF_8),
          event.hash().map(ChainHash::toBytes),
          Optional.of(new ChainCheck.Says(event.id(), event.version())));
    }
    check.end();
    return found;
  }

  private void tamper(Consumer<List<Written>> how) {
    how.accept(log);
  }

  @Test
  void whatIsAsItWasWrittenIsFine() {
    assertThat(found()).isEmpty();
  }

  @Test
  void aChangedByte() {
    tamper(events -> events.set(4, events.get(4).withValue("b2!")));
    assertThat(found())
        .singleElement()
        .asString()
        .startsWith("sandbox.events-0@4 sandbox=b version=2: its bytes are not those");
  }

  @Test
  void aChangedVersion() {
    tamper(events -> events.set(4, new Written("b", 60, "b2 became 60", events.get(4).hash())));
    assertThat(found())
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .startsWith("sandbox.events-0@4 sandbox=b version=2: its bytes are not those")
                    .contains("it says version 60"))
        .noneSatisfy(finding -> assertThat(finding).contains("missing before"));
  }

  @Test
  void aMissingEvent() {
    tamper(events -> events.remove(4));
    assertThat(found())
        .hasSize(3)
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .startsWith("sandbox.events-0@6 sandbox=b version=3: version 2 is missing"))
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .contains("checkpoint 1: the event it ends with is not there: sandbox=b"))
        .anySatisfy(
            finding -> assertThat(finding).contains("checkpoint 2").contains("some are missing"));
  }

  @Test
  void twoEventsOfASandboxInAnotherOrder() {
    tamper(events -> Collections.swap(events, 4, 7));
    assertThat(found())
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .startsWith(
                        "sandbox.events-0@7 sandbox=b version=2: out of order: version 3 is before"));
  }

  /** Each one's chain is whole; only the checkpoint knows. */
  @Test
  void eventsOfTwoSandboxesInAnotherOrder() {
    tamper(events -> Collections.swap(events, 6, 7));
    assertThat(found())
        .singleElement()
        .asString()
        .startsWith("sandbox.checkpoints-0 checkpoint 2: the 10 events")
        .contains("in another order");
  }

  @Test
  void anEventThatIsThereTwice() {
    tamper(events -> events.add(5, events.get(4)));
    assertThat(found())
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .isEqualTo("sandbox.events-0@5 sandbox=b version=2: is there twice"));
  }

  @Test
  void anOldEventThatComesAgain() {
    tamper(events -> events.add(9, events.get(1)));
    assertThat(found())
        .anySatisfy(
            finding ->
                assertThat(finding)
                    .startsWith("sandbox.events-0@9 sandbox=b version=1: version 1 was there"));
  }

  @Test
  void aTailThatWasCutOff() {
    tamper(events -> events.subList(9, 12).clear());
    assertThat(found())
        .singleElement()
        .asString()
        .startsWith("sandbox.checkpoints-0 checkpoint 2")
        .contains("up to sandbox=a version=4")
        .contains("the log ends after 9: its end is missing");
  }

  /** Whoever can write to Kafka can compute a hash. */
  @Test
  void aForgedSandboxWithARightChain() {
    tamper(events -> events.add(6, next("forged", 1)));
    assertThat(found())
        .singleElement()
        .asString()
        .startsWith("sandbox.checkpoints-0 checkpoint 2")
        .contains("over 10 events")
        .contains("there are 11: some were added");
  }

  @Test
  void anEventWithoutAHash() {
    tamper(events -> events.add(6, new Written("b", 3, "b3", Optional.empty())));
    assertThat(found()).singleElement().asString().contains("has no chain hash");
  }

  @Test
  void anEventUnderAnotherKey() {
    List<String> found = new ArrayList<>();
    ChainCheck check = new ChainCheck(0, List.of(), finding -> found.add(finding.toString()));
    byte[] key = {'k'};
    byte[] value = {'v'};
    check.event(
        0,
        key,
        value,
        Optional.of(ChainHash.SANDBOX.then(key, value).toBytes()),
        Optional.of(new ChainCheck.Says("other", 1)));
    assertThat(found).singleElement().asString().contains("its value is an event of other");
  }

  @Test
  void checkpointsThatAreMissingForgedOrComeAgain() {
    SigningKey ours = SigningKey.generate();
    SigningKey theirs = SigningKey.generate();
    List<String> found = new ArrayList<>();
    CheckpointCheck check =
        new CheckpointCheck(
            0, new PublicKeys(List.of(ours.publicKey())), finding -> found.add(finding.toString()));
    Ledger grown = ledger.with("a", 5, ChainHash.SANDBOX);
    Checkpoint third = grown.checkpoint(0, Instant.EPOCH).orElseThrow();
    check.checkpoint(0, ours.sign(checkpoints.get(0)));
    check.checkpoint(1, theirs.sign(checkpoints.get(1)));
    check.checkpoint(2, ours.sign(third));
    check.checkpoint(3, ours.sign(third));
    check.checkpoint(4, ours.sign(grown.checkpoint(1, Instant.EPOCH).orElseThrow()));
    check.unreadable(5, "no single-object header");
    assertThat(found)
        .satisfiesExactly(
            finding ->
                assertThat(finding)
                    .startsWith("sandbox.checkpoints-0@1: checkpoint 2 is not signed by a key"),
            finding ->
                assertThat(finding)
                    .isEqualTo("sandbox.checkpoints-0@2: checkpoints 2 to 2 are missing before it"),
            finding -> assertThat(finding).contains("checkpoint 3 comes again"),
            finding -> assertThat(finding).contains("is of another partition"),
            finding -> assertThat(finding).contains("is no checkpoint"));
    assertThat(check.believed()).containsExactly(checkpoints.get(0), third);
  }
}
