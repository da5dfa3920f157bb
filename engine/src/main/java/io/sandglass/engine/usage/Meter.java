package io.sandglass.engine.usage;

import java.time.Instant;
import java.util.Optional;

/**
 * Where the metering of a sandbox stands between two events.
 *
 * @param node the node that holds the sandbox: its silence may be found out later
 * @param expiresAt when an ephemeral sandbox ends unless it is kept alive
 * @param awake whether it wakes again should the suspend that is under way fail
 * @param running what is being charged for now; empty before the start and after the end
 */
public record Meter(
    Subject subject,
    String node,
    Optional<Instant> expiresAt,
    boolean awake,
    Optional<Charge> running) {

  /**
   * A use that goes on.
   *
   * @param openedBy version of the event that began it
   * @param since when it began
   * @param closed up to where its pieces are told already: {@code since}, or a full hour
   */
  public record Charge(Use use, long openedBy, Instant since, Instant closed) {}

  Meter on(String newNode) {
    return new Meter(subject, newNode, expiresAt, awake, running);
  }

  Meter expiringAt(Instant time) {
    return new Meter(subject, node, Optional.of(time), awake, running);
  }

  Meter awake(boolean before) {
    return new Meter(subject, node, expiresAt, before, running);
  }

  Meter charging(Optional<Charge> charge) {
    return new Meter(subject, node, expiresAt, awake, charge);
  }
}
