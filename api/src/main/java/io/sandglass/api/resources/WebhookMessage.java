package io.sandglass.api.resources;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.store.EventStore;
import io.swagger.v3.oas.annotations.media.Schema;

/** What a webhook is sent about an event, in the form that Standard Webhooks recommends. */
@Schema(description = "What is posted to a webhook's url")
public record WebhookMessage(
    @Schema(example = "SandboxStarted") String type,
    @Schema(description = "When it happened", format = "date-time") String timestamp,
    EventView data) {

  /** What a webhook is sent to show that it can be reached. */
  @Schema(description = "What POST /v1/webhooks/{id}/test has posted to a webhook's url")
  public record WebhookTest(
      @Schema(allowableValues = Delivery.TEST) String type,
      @Schema(description = "When it was asked for", format = "date-time") String timestamp,
      Target data) {

    /** Which webhook it is for. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "WebhookTestTarget")
    public record Target(String webhookId) {}
  }

  /** As it is signed and sent. */
  public static String text(EventStore.Stored event, ObjectMapper json) {
    EventView view = EventView.of(event);
    return text(new WebhookMessage(view.type(), view.at(), view), json);
  }

  /** As it is signed and sent. */
  public static String test(Delivery delivery, ObjectMapper json) {
    return text(
        new WebhookTest(
            Delivery.TEST,
            SandboxView.text(delivery.createdAt()),
            new WebhookTest.Target(delivery.webhookId())),
        json);
  }

  private static String text(Record message, ObjectMapper json) {
    try {
      return json.writeValueAsString(message);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + message, e);
    }
  }
}
