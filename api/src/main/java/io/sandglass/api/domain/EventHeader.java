package io.sandglass.api.domain;

import java.time.Instant;

/**
 * What every fact says of itself.
 *
 * @param version 1, 2, 3, … per sandbox, without a gap
 * @param dueAt null unless a timer brought it about
 * @param requestId null when no request did
 * @param commandId null when no command did
 */
public record EventHeader(
    String eventId,
    String sandboxId,
    String orgId,
    long version,
    Instant at,
    Instant dueAt,
    String cause,
    String actor,
    String requestId,
    String commandId,
    Status statusAfter,
    int incarnation,
    String nodeId) {

  /** Whether it concerns no sandbox, but the organization itself, whose id then stands for one. */
  public boolean isOfOrganization() {
    return sandboxId.equals(orgId);
  }
}
