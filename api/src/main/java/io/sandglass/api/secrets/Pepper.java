package io.sandglass.api.secrets;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/**
 * Makes of a key what may be kept of it: its HMAC-SHA-256. The pepper is not in the database, so
 * who reads the database cannot check a guess, and who writes to it cannot make a key.
 */
public final class Pepper {
  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKey key;

  Pepper(SecretKey key) {
    this.key = key;
  }

  /** In hexadecimal, 64 characters. */
  public String hash(String token) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return HexFormat.of().formatHex(mac.doFinal(token.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every JDK has HMAC-SHA-256", e);
    }
  }

  /** In constant time. */
  public boolean matches(String token, String hash) {
    return MessageDigest.isEqual(
        hash(token).getBytes(StandardCharsets.US_ASCII), hash.getBytes(StandardCharsets.US_ASCII));
  }
}
