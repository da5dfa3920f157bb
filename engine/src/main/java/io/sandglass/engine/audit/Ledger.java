package io.sandglass.engine.audit;

import io.sandglass.schemas.ChainHash;
import java.time.Instant;
import java.util.Optional;

/**
 * How far a partition of the events goes, and how much of that is in a checkpoint.
 *
 * @param events how many there are
 * @param head the hash over all of them
 * @param last empty before the first
 * @param checkpoints how many there are
 * @param checkpointed how many events the last checkpoint covers
 */
public record Ledger(
    long events, ChainHash head, Optional<Last> last, long checkpoints, long checkpointed) {

  /** Of a partition without events. */
  public static final Ledger EMPTY = new Ledger(0, ChainHash.PARTITION, Optional.empty(), 0, 0);

  /** The event a partition ends with. */
  public record Last(String sandboxId, long version) {}

  /** The ledger with one event more. */
  public Ledger with(String sandboxId, long version, ChainHash event) {
    return new Ledger(
        events + 1,
        head.then(event),
        Optional.of(new Last(sandboxId, version)),
        checkpoints,
        checkpointed);
  }

  /** The next checkpoint; empty when nothing happened since the last one. */
  public Optional<Checkpoint> checkpoint(int partition, Instant at) {
    return last.filter(_ -> events > checkpointed)
        .map(last -> new Checkpoint(partition, checkpoints + 1, events, head, last, at));
  }

  /** The ledger after its checkpoint was written. */
  public Ledger afterCheckpoint() {
    return new Ledger(events, head, last, checkpoints + 1, events);
  }
}
