package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Delivery.Attempt;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.store.DeliveryStore;
import io.swagger.v3.oas.annotations.media.Schema;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A delivery, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Delivery")
record DeliveryView(
    @Schema(description = "The webhook-id header of every attempt") String id,
    @Schema(description = "Null for a test", nullable = true) String eventId,
    @Schema(description = "Null for a test", nullable = true) String sandboxId,
    @Schema(description = "WebhookTest for a test", example = "SandboxStarted") String eventType,
    @Schema(
            description = "failed: given up, while other events were taken; or a test that failed",
            allowableValues = {"pending", "delivered", "failed"})
        String status,
    @Schema(description = "Attempts so far; from 0 again after a redelivery was asked for")
        int attempts,
    @Schema(description = "Of the last attempt's answer", nullable = true) Integer statusCode,
    @Schema(description = "What was wrong with the last attempt", nullable = true) String error,
    @Schema(format = "date-time", nullable = true) String lastAttemptAt,
    @Schema(
            description =
                "Null when there is none, or when it waits: for an earlier event of its sandbox, or"
                    + " for the webhook to be enabled",
            format = "date-time",
            nullable = true)
        String nextAttemptAt,
    @Schema(format = "date-time") String createdAt) {
  private static final Pattern CURSOR =
      Pattern.compile("([0-9]{1,15}) ([0-9a-z_]{1,64}) ([0-9]{1,18})");

  /** A stretch of a webhook's deliveries. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "DeliveryPage")
  record Page(
      List<DeliveryView> deliveries,
      @Schema(
              description = "Sent as cursor, it gets the next page; null at the end",
              nullable = true)
          String nextCursor) {

    static Page of(List<Delivery> found, int limit) {
      List<Delivery> page = found.size() > limit ? found.subList(0, limit) : found;
      return new Page(
          page.stream().map(DeliveryView::of).toList(),
          found.size() > limit ? cursor(page.getLast()) : null);
    }
  }

  static DeliveryView of(Delivery delivery) {
    return new DeliveryView(
        delivery.id(),
        delivery.isTest() ? null : delivery.eventId(),
        delivery.isTest() ? null : delivery.sandboxId(),
        delivery.eventType(),
        text(delivery.state()),
        delivery.attempts(),
        delivery.lastAttempt().flatMap(Attempt::status).orElse(null),
        delivery.lastAttempt().flatMap(Attempt::error).orElse(null),
        SandboxView.text(delivery.lastAttempt().map(Attempt::at).orElse(null)),
        SandboxView.text(delivery.nextAttemptAt().orElse(null)),
        SandboxView.text(delivery.createdAt()));
  }

  static Set<Delivery.State> states(List<String> texts) {
    Set<Delivery.State> states = EnumSet.noneOf(Delivery.State.class);
    for (String text : texts) {
      states.add(
          EnumSet.allOf(Delivery.State.class).stream()
              .filter(state -> text(state).equals(text))
              .findFirst()
              .orElseThrow(
                  () ->
                      ProblemException.invalid(
                          "status", "Expected pending, delivered or failed.")));
    }
    return states;
  }

  /** Null when it was left out. */
  static DeliveryStore.Position position(String cursor) {
    if (cursor == null) {
      return null;
    }
    try {
      Matcher parts =
          CURSOR.matcher(
              new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII));
      if (parts.matches()) {
        return new DeliveryStore.Position(
            Instant.ofEpochMilli(Long.parseLong(parts.group(1))),
            parts.group(2),
            Long.parseLong(parts.group(3)));
      }
    } catch (IllegalArgumentException e) {
      // Not base64: as wrong as any other.
    }
    throw ProblemException.invalid("cursor", "Expected the next_cursor of another page.");
  }

  private static String cursor(Delivery last) {
    String position =
        last.createdAt().toEpochMilli() + " " + last.sandboxId() + " " + last.version();
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(position.getBytes(StandardCharsets.US_ASCII));
  }

  private static String text(Delivery.State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
