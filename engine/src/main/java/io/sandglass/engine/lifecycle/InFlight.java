package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * An execution that has begun and not ended.
 *
 * @param until when it must have ended, even if its end was never reported
 */
public record InFlight(ExecutionKind kind, Instant until) {
  /**
   * How long after its own timeout an execution's end may arrive. Never to be changed: old logs
   * would fold to something else.
   */
  static final Duration GRACE = Duration.ofSeconds(30);
}
