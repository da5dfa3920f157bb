package io.sandglass.api.domain;

import java.time.Instant;
import java.util.Optional;

/** How far a node is with building one revision of a template. */
public record TemplateBuild(
    String templateId,
    String nodeId,
    String revision,
    State state,
    Optional<String> error,
    Instant at) {

  /** As in the log. */
  public enum State {
    BUILDING("building"),
    READY("ready"),
    FAILED("failed");

    private final String text;

    State(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }

    public static Optional<State> parse(String text) {
      for (State state : values()) {
        if (state.text.equals(text)) {
          return Optional.of(state);
        }
      }
      return Optional.empty();
    }
  }
}
