package io.sandglass.engine.wire;

import io.sandglass.engine.audit.Checkpoint;
import io.sandglass.engine.audit.Ledger;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.nio.ByteBuffer;
import org.apache.avro.specific.SpecificRecord;

/** Checkpoints on the wire. */
public final class CheckpointRecords {
  private CheckpointRecords() {}

  public static SpecificRecord write(Checkpoint.Signed signed) {
    Checkpoint checkpoint = signed.checkpoint();
    return new io.sandglass.schemas.Checkpoint(
        checkpoint.partition(),
        checkpoint.sequence(),
        checkpoint.events(),
        ByteBuffer.wrap(checkpoint.head().toBytes()),
        checkpoint.last().sandboxId(),
        checkpoint.last().version(),
        checkpoint.at(),
        signed.keyId(),
        ByteBuffer.wrap(signed.signature().toBytes()));
  }

  /**
   * @throws UnreadableException when the bytes are no checkpoint
   */
  public static Checkpoint.Signed read(byte[] value) {
    if (value == null) {
      throw new UnreadableException("no value");
    }
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> read(record);
      case Decoded.Unknown(long fingerprint) ->
          throw new UnreadableException("unknown schema %016x".formatted(fingerprint));
      case Decoded.Malformed(String reason) -> throw new UnreadableException(reason);
    };
  }

  /**
   * @throws UnreadableException when it is no checkpoint
   */
  public static Checkpoint.Signed read(SpecificRecord record) {
    if (!(record instanceof io.sandglass.schemas.Checkpoint r)) {
      throw new UnreadableException("not a checkpoint: " + record.getSchema().getName());
    }
    try {
      return new Checkpoint.Signed(
          new Checkpoint(
              r.getPartition(),
              r.getSequence(),
              r.getEvents(),
              ChainHash.of(StateCodec.bytes(r.getHead())),
              new Ledger.Last(r.getLastSandboxId(), r.getLastVersion()),
              r.getAt()),
          r.getKeyId(),
          new Checkpoint.Signature(StateCodec.bytes(r.getSignature())));
    } catch (IllegalArgumentException e) {
      throw new UnreadableException(e.getMessage());
    }
  }
}
