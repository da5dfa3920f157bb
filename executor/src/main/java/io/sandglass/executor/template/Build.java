package io.sandglass.executor.template;

import java.util.Optional;

/** How far this node is with building one revision of a template. */
public record Build(String templateId, String revision, State state, Optional<String> error) {

  /** As in the log, by its text. */
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

    /** Empty for a state that this release does not know. */
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
