package io.sandglass.schemas;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A SHA-256 that stands for all that came before it: changing, leaving out, adding or moving
 * anything changes every hash after it.
 *
 * <p>Every record of {@code sandbox.events} carries the hash of its sandbox's history up to and
 * with itself in the header {@value #HEADER}:
 *
 * <pre>
 * SHA-256(previous hash ‖ length of the key, 4 bytes, big-endian ‖ key ‖ value)
 * </pre>
 *
 * where the first one follows {@code SHA-256("sandglass sandbox 1")}. A partition's hash, which
 * checkpoints tell, is over those headers in the order of the log:
 *
 * <pre>
 * SHA-256(previous hash ‖ header)
 * </pre>
 *
 * from {@code SHA-256("sandglass partition 1")} on. Key, value and header are the bytes as they are
 * in Kafka: who checks them needs no schema.
 */
public final class ChainHash {
  /** The record header that holds an event's hash. */
  public static final String HEADER = "x-chain";

  /** What the first event of a sandbox follows. */
  public static final ChainHash SANDBOX = first("sandglass sandbox 1");

  /** What the first event of a partition follows. */
  public static final ChainHash PARTITION = first("sandglass partition 1");

  private static final int BYTES = 32;

  private final byte[] bytes;

  private ChainHash(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The hash with these bytes.
   *
   * @throws IllegalArgumentException when they are not 32
   */
  public static ChainHash of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("A chain hash has 32 bytes, these are " + bytes.length);
    }
    return new ChainHash(bytes.clone());
  }

  /** The hash of a history that goes on with this record. */
  public ChainHash then(byte[] key, byte[] value) {
    MessageDigest digest = sha256();
    digest.update(bytes);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(key.length).array());
    digest.update(key);
    return new ChainHash(digest.digest(value));
  }

  /** The hash of a partition that goes on with an event of this hash. */
  public ChainHash then(ChainHash event) {
    MessageDigest digest = sha256();
    digest.update(bytes);
    return new ChainHash(digest.digest(event.bytes));
  }

  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ChainHash hash && Arrays.equals(bytes, hash.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** In hexadecimal. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }

  private static ChainHash first(String text) {
    return new ChainHash(sha256().digest(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }
}
