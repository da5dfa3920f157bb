package io.sandglass.schemas;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.util.ClassSecurityValidator;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Every value in every topic: Avro's <a
 * href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">single-object
 * encoding</a>, that is {@code C3 01}, the writer schema's CRC-64-AVRO fingerprint (8 bytes, little
 * endian), the record's Avro binary. The fingerprint is looked up in {@link SchemaHistory}; one
 * that is not there is an explicit {@link Decoded.Unknown}, never a guess.
 */
public final class WireFormat {
  private static final byte[] MARKER = {(byte) 0xC3, 0x01};
  private static final int HEADER_BYTES = MARKER.length + Long.BYTES;

  private static final Map<Schema, BinaryMessageEncoder<SpecificRecord>> ENCODERS =
      new ConcurrentHashMap<>();
  private static final Map<Schema, BinaryMessageDecoder<SpecificRecord>> DECODERS =
      new ConcurrentHashMap<>();

  static {
    // Avro instantiates only classes it was told to trust. Ours are added to whatever the
    // application trusts already.
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(
            ClassSecurityValidator.getGlobal(),
            type -> type.getPackageName().equals(WireFormat.class.getPackageName())));
  }

  private WireFormat() {}

  /**
   * The record in its wire form.
   *
   * @throws IllegalArgumentException when the record lacks a value that its schema wants
   */
  public static byte[] encode(SpecificRecord record) {
    BinaryMessageEncoder<SpecificRecord> encoder =
        ENCODERS.computeIfAbsent(
            record.getSchema(), schema -> new BinaryMessageEncoder<>(model(record), schema));
    try {
      ByteBuffer bytes = encoder.encode(record);
      byte[] out = new byte[bytes.remaining()];
      bytes.get(out);
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (AvroRuntimeException | NullPointerException e) {
      throw new IllegalArgumentException(
          "Not a complete " + record.getSchema().getName() + ": " + e.getMessage(), e);
    }
  }

  /** Never throws for any content of {@code bytes}. */
  public static Decoded decode(byte[] bytes) {
    if (bytes.length < HEADER_BYTES || bytes[0] != MARKER[0] || bytes[1] != MARKER[1]) {
      return new Decoded.Malformed("no single-object header");
    }
    long fingerprint = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(MARKER.length);
    Optional<Schema> current = SchemaHistory.currentOf(fingerprint);
    if (current.isEmpty()) {
      return new Decoded.Unknown(fingerprint);
    }
    BinaryMessageDecoder<SpecificRecord> decoder =
        DECODERS.computeIfAbsent(
            current.get(),
            schema ->
                new BinaryMessageDecoder<>(
                    SpecificData.getForSchema(schema), schema, SchemaHistory.STORE));
    try {
      return new Decoded.Known(decoder.decode(bytes, null));
    } catch (IOException | RuntimeException e) {
      return new Decoded.Malformed("broken " + current.get().getName() + ": " + e.getMessage());
    }
  }

  private static SpecificData model(SpecificRecord record) {
    return SpecificData.getForClass(record.getClass());
  }

  /** For a producer of records. */
  public static Serializer<SpecificRecord> serializer() {
    return (topic, record) -> record == null ? null : encode(record);
  }

  /** For a consumer of any topic; a tombstone is null. */
  public static Deserializer<Decoded> deserializer() {
    return (topic, bytes) -> bytes == null ? null : decode(bytes);
  }
}
