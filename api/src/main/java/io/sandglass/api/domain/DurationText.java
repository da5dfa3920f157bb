package io.sandglass.api.domain;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as clients write them: {@code 30s}, {@code 5m}, {@code 1h30m}. */
public final class DurationText {
  // Nine digits of hours stay far below a long of milliseconds.
  private static final Pattern FORM =
      Pattern.compile("(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?");

  private DurationText() {}

  /** Empty for anything but a positive duration in exactly this form. */
  public static Optional<Duration> parse(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    Duration duration =
        Duration.ofHours(part(parts.group(1)))
            .plusMinutes(part(parts.group(2)))
            .plusSeconds(part(parts.group(3)));
    return duration.isPositive() ? Optional.of(duration) : Optional.empty();
  }

  /** The shortest form; parts of a second are dropped. */
  public static String format(Duration duration) {
    StringBuilder text = new StringBuilder();
    append(text, duration.toHours(), 'h');
    append(text, duration.toMinutesPart(), 'm');
    append(text, duration.toSecondsPart(), 's');
    return text.isEmpty() ? "0s" : text.toString();
  }

  private static void append(StringBuilder text, long amount, char unit) {
    if (amount > 0) {
      text.append(amount).append(unit);
    }
  }

  private static long part(String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }
}
