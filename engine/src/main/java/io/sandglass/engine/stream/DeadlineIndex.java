package io.sandglass.engine.stream;

import io.sandglass.engine.lifecycle.Deadline;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * All deadlines of this task's sandboxes in the order in which they come due. A key is the due time
 * (milliseconds, big-endian), the kind (one byte) and the sandbox id; there are no values.
 *
 * <p>Remembers before which time nothing is due, and does not look until then: a look walks over
 * the tombstones of all that was due earlier than the next, and most of what is due never fires.
 */
final class DeadlineIndex {
  static final Serde<Bytes> KEYS = Serdes.Bytes();
  static final Serde<byte[]> VALUES = Serdes.ByteArray();

  private static final byte[] NOTHING = {};
  private static final int FIXED_BYTES = Long.BYTES + 1;

  private final KeyValueStore<Bytes, byte[]> store;
  private long nothingBefore;

  DeadlineIndex(KeyValueStore<Bytes, byte[]> store) {
    this.store = store;
  }

  /** The sandbox's state has changed, and with it what is due for it. */
  void replace(String sandboxId, List<Deadline> before, List<Deadline> after) {
    for (Deadline deadline : before) {
      if (!after.contains(deadline)) {
        store.delete(key(deadline, sandboxId));
      }
    }
    for (Deadline deadline : after) {
      if (!before.contains(deadline)) {
        store.put(key(deadline, sandboxId), NOTHING);
        nothingBefore = Math.min(nothingBefore, deadline.due().toEpochMilli());
      }
    }
  }

  /** One that no state accounts for. */
  void drop(String sandboxId, Deadline stale) {
    store.delete(key(stale, sandboxId));
  }

  /**
   * Goes through what is due, oldest first.
   *
   * @param enough asked before each; what is left stays due
   * @param consumer makes each go away: by a change of its sandbox, or by dropping it
   */
  void forEachDue(Instant now, BooleanSupplier enough, BiConsumer<String, Deadline> consumer) {
    if (now.toEpochMilli() < nothingBefore) {
      return;
    }
    Bytes from = lowest(nothingBefore);
    // Whatever the consumer makes due lowers it again.
    nothingBefore = Long.MAX_VALUE;
    try (KeyValueIterator<Bytes, byte[]> next = store.range(from, null)) {
      while (next.hasNext()) {
        long due = dueMillis(next.peekNextKey());
        if (due > now.toEpochMilli() || enough.getAsBoolean()) {
          nothingBefore = Math.min(nothingBefore, due);
          return;
        }
        Bytes key = next.next().key;
        consumer.accept(sandboxId(key), deadline(key));
      }
    }
  }

  static Bytes key(Deadline deadline, String sandboxId) {
    byte[] id = sandboxId.getBytes(StandardCharsets.UTF_8);
    return Bytes.wrap(
        ByteBuffer.allocate(FIXED_BYTES + id.length)
            .putLong(deadline.due().toEpochMilli())
            .put(code(deadline.kind()))
            .put(id)
            .array());
  }

  static Deadline deadline(Bytes key) {
    return new Deadline(kind(key.get()[Long.BYTES]), Instant.ofEpochMilli(dueMillis(key)));
  }

  static String sandboxId(Bytes key) {
    byte[] bytes = key.get();
    return new String(bytes, FIXED_BYTES, bytes.length - FIXED_BYTES, StandardCharsets.UTF_8);
  }

  private static long dueMillis(Bytes key) {
    return ByteBuffer.wrap(key.get()).getLong();
  }

  private static Bytes lowest(long millis) {
    return Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(millis).array());
  }

  /** Fixed for ever: it is in the store. */
  private static byte code(Deadline.Kind kind) {
    return switch (kind) {
      case EXPIRY -> 1;
      case IDLE -> 2;
      case START -> 3;
      case SUSPEND -> 4;
      case RESUME -> 5;
      case STOP -> 6;
      case FREEZE -> 7;
    };
  }

  private static Deadline.Kind kind(byte code) {
    for (Deadline.Kind kind : Deadline.Kind.values()) {
      if (code(kind) == code) {
        return kind;
      }
    }
    throw new IllegalStateException("No kind of deadline has the code " + code);
  }
}
