package io.sandglass.api.resources;

import io.sandglass.api.domain.DurationText;
import io.sandglass.api.http.JsonBodies;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Rules that several requests share. */
final class Checks {
  private static final int MOST_VARIABLES = 256;
  private static final int LARGEST_ENV = 64 * 1024;
  private static final int MOST_PAIRS = 64;
  private static final int LARGEST_METADATA = 16 * 1024;
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private Checks() {}

  /**
   * The duration, or the other one when it was left out; empty after a violation.
   *
   * @param longest null for any
   */
  static Optional<Duration> duration(
      String pointer, String text, Duration otherwise, Duration longest, Violations violations) {
    if (text == null) {
      return Optional.of(otherwise);
    }
    Optional<Duration> duration = DurationText.parse(text);
    if (duration.isEmpty()) {
      violations.add(pointer, "Expected a duration such as 30s, 5m or 1h30m.");
    } else if (longest != null && duration.get().compareTo(longest) > 0) {
      violations.add(pointer, "Expected at most " + DurationText.format(longest) + ".");
      return Optional.empty();
    }
    return duration;
  }

  static Map<String, String> env(String pointer, Map<String, String> env, Violations violations) {
    if (env == null) {
      return Map.of();
    }
    if (env.size() > MOST_VARIABLES) {
      violations.add(pointer, "Expected up to " + MOST_VARIABLES + " variables.");
      return Map.of();
    }
    if (bytes(env) > LARGEST_ENV) {
      violations.add(pointer, "Expected up to " + LARGEST_ENV + " bytes of names and values.");
    }
    boolean sound = true;
    for (Map.Entry<String, String> variable : env.entrySet()) {
      String place = pointer + "/" + JsonBodies.escape(variable.getKey());
      if (!VARIABLE.matcher(variable.getKey()).matches()) {
        violations.add(
            place, "Expected a name of letters, digits and _, not beginning with a digit.");
      }
      if (variable.getValue() == null) {
        violations.add(place, "Expected a string.");
        sound = false;
      }
    }
    return sound ? env : Map.of();
  }

  static Map<String, String> metadata(
      String pointer, Map<String, String> metadata, Violations violations) {
    if (metadata == null) {
      return Map.of();
    }
    if (metadata.size() > MOST_PAIRS) {
      violations.add(pointer, "Expected up to " + MOST_PAIRS + " pairs.");
      return Map.of();
    }
    if (bytes(metadata) > LARGEST_METADATA) {
      violations.add(pointer, "Expected up to " + LARGEST_METADATA + " bytes of names and values.");
    }
    boolean sound = true;
    for (Map.Entry<String, String> pair : metadata.entrySet()) {
      String place = pointer + "/" + JsonBodies.escape(pair.getKey());
      if (pair.getKey().isEmpty() || !clean(pair.getKey())) {
        violations.add(place, "Expected a name that is neither empty nor broken text.");
      }
      if (pair.getValue() == null) {
        violations.add(place, "Expected a string.");
        sound = false;
      }
    }
    return sound ? metadata : Map.of();
  }

  /** Whether a text survives being stored: names of fields are not checked while reading JSON. */
  static boolean clean(String text) {
    return text.indexOf('\0') < 0 && StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static long bytes(Map<String, String> pairs) {
    return pairs.entrySet().stream()
        .mapToLong(
            pair -> utf8(pair.getKey()) + (pair.getValue() == null ? 0 : utf8(pair.getValue())))
        .sum();
  }

  static int utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
