package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.util.Optional;

/** A fact and its circumstances: one entry of a sandbox's history. */
public record Event(Header header, Fact fact) {

  /**
   * @param version 1, 2, 3, … without a gap
   * @param at when it was decided
   * @param dueAt when it was due, for facts that a deadline brought about
   */
  public record Header(
      long version,
      Instant at,
      Optional<Instant> dueAt,
      Cause cause,
      String org,
      String actor,
      Optional<String> requestId,
      Optional<String> commandId) {}
}
