package io.sandglass.api.domain;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Makes ids: a prefix and 128 bits in lower-case Crockford base32. */
public final class Ids {
  private static final String ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

  private final InstantSource clock;
  private final SecureRandom random;

  public Ids(InstantSource clock, SecureRandom random) {
    this.clock = clock;
    this.random = random;
  }

  /** 48 bits of time, 80 of chance: later ones sort later. */
  public String next(String prefix) {
    byte[] chance = new byte[10];
    random.nextBytes(chance);
    byte[] bytes = new byte[16];
    ByteBuffer.wrap(bytes).putLong(clock.millis() << 16);
    System.arraycopy(chance, 0, bytes, 6, chance.length);
    return prefix + base32(bytes);
  }

  /** 256 bits of chance. */
  public String secret() {
    byte[] chance = new byte[32];
    random.nextBytes(chance);
    return base32(chance);
  }

  /** Always the same id for the same parts, and a different one for others. */
  public static String derived(String prefix, String... parts) {
    return prefix + base32(Arrays.copyOf(sha256(parts), 16));
  }

  /** SHA-256 in hexadecimal over the parts and where one ends and the next begins. */
  public static String digest(String... parts) {
    return HexFormat.of().formatHex(sha256(parts));
  }

  /** Seven characters that are others after any mistake in typing, all but never the same. */
  public static String checksum(String text) {
    CRC32C checksum = new CRC32C();
    checksum.update(text.getBytes(StandardCharsets.UTF_8));
    return base32(ByteBuffer.allocate(Integer.BYTES).putInt((int) checksum.getValue()).array());
  }

  private static byte[] sha256(String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
        digest.update(bytes);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }

  private static String base32(byte[] bytes) {
    BigInteger number = new BigInteger(1, bytes);
    int length = (bytes.length * 8 + 4) / 5;
    char[] text = new char[length];
    for (int i = length - 1; i >= 0; i--) {
      text[i] = ALPHABET.charAt(number.intValue() & 31);
      number = number.shiftRight(5);
    }
    return new String(text);
  }
}
