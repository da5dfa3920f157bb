package io.sandglass.engine.lifecycle;

import java.time.Duration;

/** How a sandbox ends when nobody asks for it. */
public sealed interface Mode {

  /** Lives for {@code timeout} from its creation or its last keep-alive. */
  record Ephemeral(Duration timeout) implements Mode {}

  /** Lives until destroyed; suspended after {@code idleTimeout} without activity. */
  record Persistent(Duration idleTimeout) implements Mode {}
}
