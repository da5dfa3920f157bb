package io.sandglass.api.domain;

import java.time.Instant;
import java.util.Optional;

/**
 * An event on its way to a webhook, or a test that was asked for.
 *
 * @param id the same for every attempt, and for no other event or webhook
 * @param attempts made so far, since it was last asked for
 * @param lastAttempt the newest one
 * @param nextAttemptAt empty when there will be none, or when it waits for an earlier event
 */
public record Delivery(
    String id,
    String webhookId,
    String sandboxId,
    long version,
    String eventId,
    String eventType,
    State state,
    int attempts,
    Optional<Attempt> lastAttempt,
    Optional<Instant> nextAttemptAt,
    Instant createdAt) {
  /** The type of what is no event, but shows whether a webhook can be reached. */
  public static final String TEST = "WebhookTest";

  /** Whether it is of no event and no sandbox. */
  public boolean isTest() {
    return eventType.equals(TEST);
  }

  /** How far it is. */
  public enum State {
    PENDING,
    DELIVERED,
    /** Given up, while other events were taken. */
    FAILED
  }

  /**
   * A request, and what came back.
   *
   * @param status empty when no answer came
   * @param error empty when it was taken
   * @param notBefore when the endpoint wants to be called again; empty when it did not say
   */
  public record Attempt(
      Instant at, Optional<Integer> status, Optional<String> error, Optional<Instant> notBefore) {
    private static final int GONE = 410;

    public boolean taken() {
      return error.isEmpty();
    }

    /** Whether the endpoint asks never to be called again. */
    public boolean gone() {
      return status.filter(code -> code == GONE).isPresent();
    }
  }
}
