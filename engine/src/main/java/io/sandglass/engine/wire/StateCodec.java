package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Rejection;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.wire.state.StoredReceipt;
import io.sandglass.engine.wire.state.StoredSandbox;
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
  }

  private StateCodec() {}

  /** The state in bytes; there are none for {@link Sandbox.Absent}, which is never stored. */
  public static byte[] encode(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _ -> null;
      case Sandbox.Live live -> bytes(SANDBOX_OUT, StoredStates.write(live));
      case Sandbox.Ended ended -> bytes(SANDBOX_OUT, StoredStates.write(ended));
    };
  }

  /** The state of these bytes; no bytes are {@link Sandbox.Absent}. */
  public static Sandbox decodeSandbox(byte[] bytes) {
    try {
      return bytes == null
          ? new Sandbox.Absent()
          : StoredStates.read(SANDBOX_IN.decode(bytes, null));
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

  private static <T> byte[] bytes(BinaryMessageEncoder<T> encoder, T stored) {
    try {
      ByteBuffer buffer = encoder.encode(stored);
      byte[] bytes = new byte[buffer.remaining()];
      buffer.get(bytes);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
