package io.sandglass.api.domain;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** Times as clients read them: RFC 3339, UTC, always with milliseconds. */
public final class InstantText {
  private static final DateTimeFormatter FORM =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private static final Instant FIRST = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("+10000-01-01T00:00:00Z");

  private InstantText() {}

  public static String format(Instant instant) {
    return FORM.format(instant);
  }

  /** Empty for what is no RFC 3339 time, or one outside the years 1 to 9999. */
  public static Optional<Instant> parse(String text) {
    try {
      return Optional.of(Instant.parse(text))
          .filter(instant -> !instant.isBefore(FIRST) && instant.isBefore(LAST));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
