package io.sandglass.engine.usage;

import io.sandglass.engine.lifecycle.Cause;
import io.sandglass.engine.lifecycle.Egress;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Mode;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.lifecycle.Size;
import io.sandglass.engine.lifecycle.Spec;
import io.sandglass.engine.lifecycle.Template;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Events of a sandbox on node {@code n1}. */
public final class Examples {
  private Examples() {}

  public static Fact requested(Optional<Instant> expiresAt) {
    Egress open = new Egress("allow_all", List.of(), List.of(), List.of());
    Duration minute = Duration.ofMinutes(1);
    return new Fact.SandboxRequested(
        new Spec(
            new Template("tpl_1", "python", "sandglass/python:0.1.0"),
            expiresAt.isPresent()
                ? new Mode.Ephemeral(Duration.ofMinutes(30))
                : new Mode.Persistent(Duration.ofMinutes(10)),
            new Size("shared-cpu-1x", 1000, 256L << 20),
            open,
            List.of(),
            Optional.empty(),
            Map.of(),
            new Patience(minute, minute, minute, minute, minute, Duration.ofHours(24), 3),
            Optional.empty()),
        "n1",
        expiresAt);
  }

  public static Event event(long version, Instant at, Optional<Instant> dueAt, Fact fact) {
    return new Event(
        new Event.Header(
            version,
            at,
            dueAt,
            Cause.COMMAND,
            "org_1",
            "engine",
            Optional.empty(),
            Optional.empty()),
        fact);
  }
}
