package io.sandglass.api.secrets;

import io.sandglass.api.domain.Ids;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A key as its holder sends it: {@code sg_<id>_<secret>}. The secret has 256 random bits, so a
 * plain SHA-256 of it is as good as a slow hash would be.
 *
 * @param id as it is stored, {@code key_…}
 */
public record ApiKey(String id, String secret) {
  private static final Pattern FORM = Pattern.compile("sg_([0-9a-z]{26})_([0-9a-z]{52})");
  private static final String ID_PREFIX = "key_";

  /** A new one. */
  public static ApiKey generate(Ids ids) {
    return new ApiKey(ids.next(ID_PREFIX), ids.secret());
  }

  public static Optional<ApiKey> parse(String text) {
    Matcher parts = FORM.matcher(text);
    return parts.matches()
        ? Optional.of(new ApiKey(ID_PREFIX + parts.group(1), parts.group(2)))
        : Optional.empty();
  }

  /** What its holder sends. Shown once, kept nowhere. */
  public String token() {
    return "sg_" + id.substring(ID_PREFIX.length()) + "_" + secret;
  }

  /** What may be kept of it. */
  public String secretHash() {
    return hash(secret);
  }

  /** In constant time. */
  public boolean matches(String secretHash) {
    return sameHash(hash(secret), secretHash);
  }

  static String hash(String secret) {
    return Ids.digest(secret);
  }

  static boolean sameHash(String one, String other) {
    return MessageDigest.isEqual(
        one.getBytes(StandardCharsets.US_ASCII), other.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public String toString() {
    return id;
  }
}
