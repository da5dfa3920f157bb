package io.sandglass.api.http;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The Prefer header (RFC 7240), of which we know {@code wait}. What is not understood is ignored.
 */
public final class Prefer {
  private static final int LONGEST = 120;
  private static final Pattern WAIT = Pattern.compile("wait\\s*=\\s*\"?([0-9]{1,9})\"?");

  private Prefer() {}

  /** The header that tells the client that its wish was heard. */
  public static Map<String, String> applied(Optional<Duration> waiting) {
    return waiting
        .map(time -> Map.of("Preference-Applied", "wait=" + time.toSeconds()))
        .orElse(Map.of());
  }

  /** How long the client would wait, two minutes at most; empty when it says nothing of it. */
  public static Optional<Duration> waiting(List<String> headers) {
    return headers.stream()
        .flatMap(header -> List.of(header.split(",", -1)).stream())
        .map(preference -> preference.strip().toLowerCase(Locale.ROOT))
        .map(WAIT::matcher)
        .filter(Matcher::matches)
        .findFirst()
        .map(wait -> Duration.ofSeconds(Math.min(LONGEST, Integer.parseInt(wait.group(1)))));
  }
}
