package io.sandglass.api.store;

import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.Usage;

/** What the projection takes from the log, one by one and in order. */
public sealed interface LogEntry {

  record Happened(SandboxEvent event) implements LogEntry {}

  record Decided(CommandResult result) implements LogEntry {}

  record Used(Usage usage) implements LogEntry {}
}
