package io.sandglass.engine.stream;

import io.sandglass.engine.wire.Receipt;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/**
 * What commands were answered, by command id. A window store drops whole segments as they grow old,
 * so forgetting costs nothing and needs no code.
 */
final class Receipts {
  /** At least 24 hours; a little more, because a client may retry at the very end of them. */
  static final Duration KEPT = Duration.ofHours(25);

  private final WindowStore<String, Receipt> store;

  Receipts(WindowStore<String, Receipt> store) {
    this.store = store;
  }

  Optional<Receipt> find(String commandId, Instant now) {
    try (WindowStoreIterator<Receipt> found =
        store.fetch(commandId, now.minus(KEPT), now.plus(KEPT))) {
      return found.hasNext() ? Optional.of(found.next().value) : Optional.empty();
    }
  }

  void put(String commandId, Receipt receipt) {
    store.put(commandId, receipt, receipt.at().toEpochMilli());
  }
}
