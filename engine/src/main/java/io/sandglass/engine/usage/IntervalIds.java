package io.sandglass.engine.usage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * UUIDs of version 5 (<a href="https://www.rfc-editor.org/rfc/rfc9562#section-5.5">RFC 9562</a>) in
 * a namespace of our own. {@link UUID} makes version 3 only, and this package knows no library.
 */
final class IntervalIds {
  static final UUID NAMESPACE = UUID.fromString("5d1c2d4e-8a7f-4f0b-9a55-0f3c7d1b6e21");

  private IntervalIds() {}

  static UUID of(String name) {
    byte[] hash = sha1(NAMESPACE, name);
    hash[6] = (byte) ((hash[6] & 0x0f) | 0x50);
    hash[8] = (byte) ((hash[8] & 0x3f) | 0x80);
    ByteBuffer halves = ByteBuffer.wrap(hash);
    return new UUID(halves.getLong(), halves.getLong());
  }

  private static byte[] sha1(UUID namespace, String name) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(
          ByteBuffer.allocate(2 * Long.BYTES)
              .putLong(namespace.getMostSignificantBits())
              .putLong(namespace.getLeastSignificantBits())
              .array());
      return digest.digest(name.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-1", e);
    }
  }
}
