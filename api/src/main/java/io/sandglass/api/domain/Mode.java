package io.sandglass.api.domain;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How a sandbox's life ends or rests: after a time, or asleep when idle. */
public enum Mode {
  EPHEMERAL,
  PERSISTENT;

  /** As clients and the log spell it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Mode> parse(String text) {
    return Stream.of(values()).filter(mode -> mode.text().equals(text)).findFirst();
  }
}
