package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Webhooks;
import io.sandglass.api.domain.Webhook;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.Locale;

/** A webhook, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Webhook")
record WebhookView(
    String id,
    String url,
    String description,
    @Schema(description = "Only these; none for all") List<String> eventTypes,
    @JsonInclude(JsonInclude.Include.NON_NULL)
        @Schema(
            description = "Verifies the signatures. Shown once, when it is made",
            example = "whsec_…")
        String secret,
    boolean enabled,
    @Schema(
            description = "Why nothing is sent",
            nullable = true,
            allowableValues = {"requested", "gone", "failing"})
        String disabledReason,
    @Schema(description = "The same as a sentence", nullable = true) String disabledDetail,
    @Schema(format = "date-time", nullable = true) String disabledAt,
    @Schema(format = "date-time") String createdAt,
    @Schema(description = "Who made it", example = "key:key_01j9…") String createdBy,
    @Schema(description = "When it last took an event", format = "date-time", nullable = true)
        String lastDeliveredAt,
    @Schema(
            description =
                "Nothing is sent before: the endpoint answered 429 or 503 with a Retry-After",
            format = "date-time",
            nullable = true)
        String pausedUntil) {

  record WebhookList(List<WebhookView> webhooks) {}

  static WebhookView of(Webhook webhook) {
    return of(webhook, null);
  }

  static WebhookView of(Webhooks.Revealed revealed) {
    return of(revealed.webhook(), revealed.secret().text());
  }

  private static WebhookView of(Webhook webhook, String secret) {
    return new WebhookView(
        webhook.id(),
        webhook.url(),
        webhook.description(),
        webhook.eventTypes().stream().sorted().toList(),
        secret,
        webhook.disabled().isEmpty(),
        webhook
            .disabled()
            .map(disabled -> disabled.cause().name().toLowerCase(Locale.ROOT))
            .orElse(null),
        webhook.disabled().map(disabled -> disabled.cause().detail()).orElse(null),
        SandboxView.text(webhook.disabled().map(Webhook.Disabled::at).orElse(null)),
        SandboxView.text(webhook.createdAt()),
        webhook.createdBy(),
        SandboxView.text(webhook.lastDeliveredAt().orElse(null)),
        SandboxView.text(webhook.pausedUntil().orElse(null)));
  }

  @Override
  public String toString() {
    return id;
  }
}
