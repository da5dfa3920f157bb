package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.DurationText;
import io.sandglass.api.domain.InstantText;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.SandboxSpec;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** A sandbox, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Sandbox")
record SandboxView(
    String id,
    String template,
    @Schema(allowableValues = {"ephemeral", "persistent"}) String mode,
    @Schema(allowableValues = {"creating", "running", "suspended", "destroyed"}) String status,
    String size,
    Map<String, String> metadata,
    @Schema(description = "The names alone; values are never shown") List<String> env,
    EgressView egress,
    @Schema(format = "date-time") String createdAt,
    @Schema(format = "date-time", nullable = true) String startedAt,
    @JsonInclude(JsonInclude.Include.NON_NULL)
        @Schema(description = "Ephemeral only", format = "date-time")
        String expiresAt,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Persistent only")
        String idleTimeout,
    @Schema(format = "date-time", nullable = true) String lastActivityAt,
    @Schema(format = "date-time", nullable = true) String suspendedAt,
    @Schema(format = "date-time", nullable = true) String destroyedAt,
    @Schema(
            description = "Why it ended, or rests; null for one that is about to wake",
            nullable = true,
            allowableValues = {
              "requested",
              "expired",
              "start_failed",
              "exited",
              "oom_killed",
              "runtime_lost",
              "node_lost",
              "idle",
              "memory",
              "node_returned",
              "wake_failed"
            })
        String reason,
    @Schema(nullable = true) String reasonDetail,
    @Schema(description = "Counts everything that ever happened to it") long version) {

  static SandboxView of(Sandbox sandbox) {
    SandboxSpec spec = sandbox.spec();
    Sandbox.Times times = sandbox.times();
    Sandbox.Reason reason = sandbox.reason();
    return new SandboxView(
        sandbox.id(),
        spec.template().name(),
        spec.mode().text(),
        sandbox.status().text(),
        spec.size().name(),
        spec.metadata(),
        spec.envNames(),
        EgressView.of(spec.egress()),
        text(times.createdAt()),
        text(times.startedAt()),
        spec.mode() == Mode.EPHEMERAL ? text(times.expiresAt()) : null,
        spec.idleTimeout() == null ? null : DurationText.format(spec.idleTimeout()),
        text(times.lastActivityAt()),
        text(times.suspendedAt()),
        text(times.destroyedAt()),
        reason == null ? null : reason.code(),
        reason == null ? null : reason.detail(),
        sandbox.version());
  }

  static String text(Instant instant) {
    return instant == null ? null : InstantText.format(instant);
  }
}
