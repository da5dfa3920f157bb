package io.sandglass.api.domain;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What happens to connections that no list speaks of. */
public enum EgressMode {
  ALLOW_ALL,
  DENY_ALL;

  /** As clients and the log spell it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<EgressMode> parse(String text) {
    return Stream.of(values()).filter(mode -> mode.text().equals(text)).findFirst();
  }
}
