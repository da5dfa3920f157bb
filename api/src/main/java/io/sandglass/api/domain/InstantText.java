package io.sandglass.api.domain;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Times as clients read them: RFC 3339, UTC, always with milliseconds. */
public final class InstantText {
  private static final DateTimeFormatter FORM =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private InstantText() {}

  public static String format(Instant instant) {
    return FORM.format(instant);
  }
}
