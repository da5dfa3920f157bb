package io.sandglass.engine.wire;

import java.time.Duration;

/** Durations on the wire: positive milliseconds, within what can be added to any date. */
final class Durations {
  private static final Duration LONGEST = Duration.ofDays(3650);

  private Durations() {}

  static Duration read(String field, long millis) {
    if (millis <= 0 || millis > LONGEST.toMillis()) {
      throw new UnreadableException("%s is not a sensible duration: %d".formatted(field, millis));
    }
    return Duration.ofMillis(millis);
  }
}
