package io.sandglass.api.wire;

import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import io.sandglass.schemas.CommandOutcome;

/** Outcomes as the engine writes them. */
public final class OutcomeReader {
  private OutcomeReader() {}

  public static CommandResult read(CommandOutcome outcome) {
    return new CommandResult(
        outcome.getCommandId(),
        outcome.getSandboxId(),
        outcome.getOrgId(),
        outcome.getAccepted()
            ? new Decision.Accepted(outcome.getVersion())
            : new Decision.Rejected(outcome.getCode(), outcome.getDetail(), outcome.getVersion()),
        outcome.getAt());
  }
}
