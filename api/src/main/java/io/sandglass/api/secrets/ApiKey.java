package io.sandglass.api.secrets;

import io.sandglass.api.domain.Ids;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A key as its holder sends it: {@code sg_<id>_<secret><checksum>}. The secret has 256 random bits.
 * The checksum tells a mistyped key from an unknown one without a look-up, and lets a scanner of
 * leaked secrets be sure.
 *
 * @param id as it is stored, {@code key_…}
 */
public record ApiKey(String id, String secret) {
  private static final Pattern FORM =
      Pattern.compile("(sg_([0-9a-z]{26})_([0-9a-z]{52}))([0-9a-z]{7})");
  private static final String ID_PREFIX = "key_";

  /** What a text may turn out to be. */
  public sealed interface Reading {

    /** A key, perhaps of nobody. */
    record Sound(ApiKey key) implements Reading {}

    /** It looks like a key, but a character is not the right one. */
    record Mistyped() implements Reading {}

    /** It looks like something else. */
    record Malformed() implements Reading {}
  }

  /** A new one. */
  public static ApiKey generate(Ids ids) {
    return new ApiKey(ids.next(ID_PREFIX), ids.secret());
  }

  public static Reading read(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      return new Reading.Malformed();
    }
    return Ids.checksum(parts.group(1)).equals(parts.group(4))
        ? new Reading.Sound(new ApiKey(ID_PREFIX + parts.group(2), parts.group(3)))
        : new Reading.Mistyped();
  }

  /** What its holder sends. Shown once, kept nowhere. */
  public String token() {
    String start = "sg_" + id.substring(ID_PREFIX.length()) + "_" + secret;
    return start + Ids.checksum(start);
  }

  @Override
  public String toString() {
    return id;
  }
}
