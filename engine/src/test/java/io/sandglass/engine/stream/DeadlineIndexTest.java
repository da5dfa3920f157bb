package io.sandglass.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Deadline;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

class DeadlineIndexTest {
  private int looks;
  private final KeyValueStore<Bytes, byte[]> store = store();
  private final DeadlineIndex index = new DeadlineIndex(store);
  private final List<String> fired = new ArrayList<>();

  @Test
  void keysAreReadBack() {
    for (Deadline.Kind kind : Deadline.Kind.values()) {
      Deadline deadline = at(kind, 1_234_567_890_123L);
      Bytes key = DeadlineIndex.key(deadline, "sbx_é");
      assertThat(DeadlineIndex.deadline(key)).isEqualTo(deadline);
      assertThat(DeadlineIndex.sandboxId(key)).isEqualTo("sbx_é");
    }
  }

  @Test
  void comesInTheOrderOfTimeWhateverTheIds() {
    add("z", 100);
    add("a", 300);
    add("m", 200);
    add("later", 1000);
    fire(300);
    assertThat(fired).containsExactly("z", "m", "a");
  }

  @Test
  void isDueAtItsMillisecondAndNotBefore() {
    add("a", 100);
    fire(99);
    assertThat(fired).isEmpty();
    fire(100);
    assertThat(fired).containsExactly("a");
  }

  @Test
  void whatIsAddedInThePastIsFound() {
    add("a", 500);
    fire(600);
    add("b", 100);
    fire(601);
    assertThat(fired).containsExactly("a", "b");
  }

  @Test
  void whatIsAddedInThePastWhileFiringIsFound() {
    add("a", 500);
    index.forEachDue(
        Instant.ofEpochMilli(600),
        () -> false,
        (id, deadline) -> {
          index.drop(id, deadline);
          add("b", 100);
        });
    fire(601);
    assertThat(fired).containsExactly("b");
  }

  @Test
  void whatThereWasNoTimeForComesNext() {
    add("a", 100);
    add("b", 200);
    add("c", 300);
    index.forEachDue(
        Instant.ofEpochMilli(1000),
        () -> fired.size() == 1,
        (id, deadline) -> {
          fired.add(id);
          index.drop(id, deadline);
        });
    assertThat(fired).containsExactly("a");
    fire(1000);
    assertThat(fired).containsExactly("a", "b", "c");
  }

  @Test
  void onlyDifferencesAreWritten() {
    Deadline kept = at(Deadline.Kind.EXPIRY, 900);
    index.replace("a", List.of(), List.of(kept, at(Deadline.Kind.START, 100)));
    index.replace("a", List.of(kept, at(Deadline.Kind.START, 100)), List.of(kept));
    assertThat(store.approximateNumEntries()).isEqualTo(1);
    fire(899);
    assertThat(fired).isEmpty();
    fire(900);
    assertThat(fired).containsExactly("a");
  }

  @Test
  void looksOnlyWhenSomethingMayBeDue() {
    add("a", 500);
    fire(100);
    int looked = looks;
    fire(200);
    fire(499);
    assertThat(looks).isEqualTo(looked);
    add("b", 300);
    fire(300);
    fire(500);
    assertThat(fired).containsExactly("b", "a");
    looked = looks;
    fire(10_000);
    assertThat(looks).isEqualTo(looked);
  }

  private void add(String id, long due) {
    index.replace(id, List.of(), List.of(at(Deadline.Kind.EXPIRY, due)));
  }

  private void fire(long now) {
    index.forEachDue(
        Instant.ofEpochMilli(now),
        () -> false,
        (id, deadline) -> {
          fired.add(id);
          index.drop(id, deadline);
        });
  }

  private static Deadline at(Deadline.Kind kind, long millis) {
    return new Deadline(kind, Instant.ofEpochMilli(millis));
  }

  private KeyValueStore<Bytes, byte[]> store() {
    MockProcessorContext<Void, Void> context = new MockProcessorContext<>();
    KeyValueStore<Bytes, byte[]> store =
        Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore("deadlines"), Serdes.Bytes(), Serdes.ByteArray())
            .withLoggingDisabled()
            .build();
    store.init(context.getStateStoreContext(), store);
    return counting(store);
  }

  @SuppressWarnings("unchecked")
  private KeyValueStore<Bytes, byte[]> counting(KeyValueStore<Bytes, byte[]> counted) {
    return (KeyValueStore<Bytes, byte[]>)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {KeyValueStore.class},
            (_, method, arguments) -> {
              if (method.getName().equals("range")) {
                looks++;
              }
              return method.invoke(counted, arguments);
            });
  }
}
