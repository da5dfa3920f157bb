package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Map;

/** The body of a create, as sent. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(description = "What sandbox to create")
record CreateRequest(
    @Schema(
            description = "Name or id of a template, or the reference of an image that a node has",
            requiredMode = Schema.RequiredMode.REQUIRED,
            example = "python")
        String template,
    @Schema(
            description = "Whether it ends after a time or rests when idle",
            allowableValues = {"ephemeral", "persistent"},
            defaultValue = "ephemeral")
        String mode,
    @Schema(description = "A size from GET /v1/sizes", defaultValue = "shared-cpu-1x") String size,
    @Schema(
            description = "Ephemeral only: time until it is destroyed, up to 24h",
            defaultValue = "5m",
            example = "1h30m")
        String timeout,
    @Schema(
            description = "Persistent only: inactivity until it is suspended",
            defaultValue = "10m",
            example = "10m")
        String idleTimeout,
    @Schema(description = "Environment variables; up to 256 names and 64 KiB")
        Map<String, String> env,
    @Schema(description = "Pairs to find it by; up to 64 and 16 KiB") Map<String, String> metadata,
    EgressRequest egress) {}
