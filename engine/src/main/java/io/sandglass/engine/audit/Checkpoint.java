package io.sandglass.engine.audit;

import io.sandglass.schemas.ChainHash;
import java.time.Instant;
import java.util.Arrays;

/**
 * What the engine says of a partition.
 *
 * @param sequence 1, 2, 3, … per partition
 * @param events how many the partition has, from its first
 * @param head the hash over all of them
 * @param last the last of them
 */
public record Checkpoint(
    int partition, long sequence, long events, ChainHash head, Ledger.Last last, Instant at) {

  /** What is signed. */
  public String text() {
    return """
        sandglass checkpoint 1
        partition %d
        sequence %d
        events %d
        head %s
        last %s %d
        at %d
        """
        .formatted(
            partition, sequence, events, head, last.sandboxId(), last.version(), at.toEpochMilli());
  }

  /** A checkpoint and who vouches for it. */
  public record Signed(Checkpoint checkpoint, String keyId, Signature signature) {}

  /** The bytes of an Ed25519 signature. */
  public static final class Signature {
    private final byte[] bytes;

    public Signature(byte[] bytes) {
      this.bytes = bytes.clone();
    }

    public byte[] toBytes() {
      return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Signature signature && Arrays.equals(bytes, signature.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }
  }
}
