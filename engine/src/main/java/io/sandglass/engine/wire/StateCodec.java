package io.sandglass.engine.wire;

import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.lifecycle.Rejection;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.wire.state.StoredLedger;
import io.sandglass.engine.wire.state.StoredMeter;
import io.sandglass.engine.wire.state.StoredReceipt;
import io.sandglass.engine.wire.state.StoredSandbox;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * The engine's stores in bytes: Avro's single-object encoding, so that a later release recognises
 * what an earlier one stored.
 */
public final class StateCodec {
  private static final BinaryMessageEncoder<StoredSandbox> SANDBOX_OUT;
  private static final BinaryMessageDecoder<StoredSandbox> SANDBOX_IN;
  private static final BinaryMessageEncoder<StoredReceipt> RECEIPT_OUT;
  private static final BinaryMessageDecoder<StoredReceipt> RECEIPT_IN;
  private static final BinaryMessageEncoder<StoredLedger> LEDGER_OUT;
  private static final BinaryMessageDecoder<StoredLedger> LEDGER_IN;
  private static final BinaryMessageEncoder<StoredMeter> METER_OUT;
  private static final BinaryMessageDecoder<StoredMeter> METER_IN;

  static {
    // Avro instantiates only classes it was told to trust, and the list is one for the whole JVM.
    // Ours is added after the wire's, so that neither overwrites the other.
    WireFormat.serializer();
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(
            ClassSecurityValidator.getGlobal(),
            type -> type.getPackageName().equals(StoredSandbox.class.getPackageName())));
    SANDBOX_OUT = StoredSandbox.getEncoder();
    SANDBOX_IN = StoredSandbox.getDecoder();
    RECEIPT_OUT = StoredReceipt.getEncoder();
    RECEIPT_IN = StoredReceipt.getDecoder();
    LEDGER_OUT = StoredLedger.getEncoder();
    LEDGER_IN = StoredLedger.getDecoder();
    METER_OUT = StoredMeter.getEncoder();
    METER_IN = StoredMeter.getDecoder();
  }

  private StateCodec() {}

  /** The state in bytes; there are none for what never had an event. */
  public static byte[] encode(Kept kept) {
    return switch (kept.sandbox()) {
      case Sandbox.Absent absent ->
          absent.version() == 0
              ? null
              : bytes(SANDBOX_OUT, StoredStates.write(absent, kept.chain()));
      case Sandbox.Live live -> bytes(SANDBOX_OUT, StoredStates.write(live, kept.chain()));
      case Sandbox.Ended ended -> bytes(SANDBOX_OUT, StoredStates.write(ended, kept.chain()));
    };
  }

  /** The state of these bytes; no bytes are {@link Kept#NOTHING}. */
  public static Kept decodeKept(byte[] bytes) {
    try {
      return bytes == null ? Kept.NOTHING : StoredStates.read(SANDBOX_IN.decode(bytes, null));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] encode(Ledger ledger) {
    return bytes(
        LEDGER_OUT,
        new StoredLedger(
            ledger.events(),
            ByteBuffer.wrap(ledger.head().toBytes()),
            ledger.last().map(Ledger.Last::sandboxId).orElse(null),
            ledger.last().map(Ledger.Last::version).orElse(0L),
            ledger.checkpoints(),
            ledger.checkpointed()));
  }

  public static Ledger decodeLedger(byte[] bytes) {
    try {
      StoredLedger stored = LEDGER_IN.decode(bytes, null);
      return new Ledger(
          stored.getEvents(),
          ChainHash.of(bytes(stored.getHead())),
          Optional.ofNullable(stored.getLastSandboxId())
              .map(id -> new Ledger.Last(id, stored.getLastVersion())),
          stored.getCheckpoints(),
          stored.getCheckpointed());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] encode(Receipt receipt) {
    return bytes(
        RECEIPT_OUT,
        new StoredReceipt(
            receipt.code().isEmpty(),
            receipt.code().map(Codes::of).orElse(null),
            receipt.detail().orElse(null),
            receipt.version(),
            receipt.at(),
            receipt.fingerprint().orElse(null)));
  }

  public static Receipt decodeReceipt(byte[] bytes) {
    try {
      StoredReceipt stored = RECEIPT_IN.decode(bytes, null);
      return new Receipt(
          Optional.ofNullable(stored.getCode()).map(code -> Codes.read(Rejection.class, code)),
          Optional.ofNullable(stored.getDetail()),
          stored.getVersion(),
          stored.getAt(),
          Optional.ofNullable(stored.getFingerprint()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] encode(Meter meter) {
    return bytes(METER_OUT, StoredMeters.write(meter));
  }

  /**
   * @param sandboxId the key that the bytes were stored under
   */
  public static Meter decodeMeter(String sandboxId, byte[] bytes) {
    try {
      return StoredMeters.read(sandboxId, METER_IN.decode(bytes, null));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> byte[] bytes(BinaryMessageEncoder<T> encoder, T stored) {
    try {
      return bytes(encoder.encode(stored));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
