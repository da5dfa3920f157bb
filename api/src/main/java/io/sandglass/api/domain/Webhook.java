package io.sandglass.api.domain;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * Where an organization wants to hear of its events.
 *
 * @param eventTypes only these; none for all
 * @param createdBy the actor
 * @param lastDeliveredAt when it last took an event
 * @param pausedUntil nothing is sent before, as the endpoint asked for
 */
public record Webhook(
    String id,
    String orgId,
    String url,
    String description,
    Set<String> eventTypes,
    Optional<Disabled> disabled,
    Instant createdAt,
    String createdBy,
    Optional<Instant> lastDeliveredAt,
    Optional<Instant> pausedUntil) {

  public Webhook {
    eventTypes = Set.copyOf(eventTypes);
  }

  /** Since when and why nothing is sent. */
  public record Disabled(Instant at, Cause cause) {}

  /** Why nothing is sent. */
  public enum Cause {
    REQUESTED("Disabled on request."),
    GONE("The endpoint answered 410 Gone."),
    FAILING("Every attempt failed, from the first to the last that an event gets.");

    private final String detail;

    Cause(String detail) {
      this.detail = detail;
    }

    public String detail() {
      return detail;
    }
  }
}
