package io.sandglass.api.domain;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What clients see of a sandbox's state. */
public enum Status {
  /** There is no sandbox: of what concerns an organization itself. */
  ABSENT,
  CREATING,
  RUNNING,
  SUSPENDED,
  DESTROYED;

  /** As clients and the log spell it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Status> parse(String text) {
    return Stream.of(values()).filter(status -> status.text().equals(text)).findFirst();
  }
}
