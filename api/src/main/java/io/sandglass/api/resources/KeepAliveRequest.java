package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.util.Optional;

/** The body of a keepalive, as sent. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
record KeepAliveRequest(
    @Schema(
            description = "From now on; the sandbox's own timeout without it, 24h at most",
            example = "10m")
        String timeout) {
  private static final Duration LONGEST = Duration.ofHours(24);

  /** Empty for the sandbox's own; never more than the longest. */
  Optional<Duration> check() {
    Violations violations = new Violations();
    Optional<Duration> asked =
        timeout == null
            ? Optional.empty()
            : Checks.duration("/timeout", timeout, LONGEST, null, violations);
    violations.throwIfAny();
    return asked.map(time -> time.compareTo(LONGEST) > 0 ? LONGEST : time);
  }
}
