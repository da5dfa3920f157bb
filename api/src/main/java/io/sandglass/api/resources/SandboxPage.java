package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;

/** A stretch of a list. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
record SandboxPage(
    List<SandboxView> sandboxes,
    @Schema(
            description = "Sent as cursor, it gets the next page; null on the last",
            nullable = true)
        String nextCursor) {}
