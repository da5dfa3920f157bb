package io.sandglass.api.domain;

import java.time.Instant;

/** A command and what became of it, for those who ask later. */
public record CommandResult(
    String commandId, String sandboxId, String orgId, Decision decision, Instant at) {}
