package io.sandglass.api.resources;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.store.EventStore;
import io.swagger.v3.oas.annotations.media.Schema;

/** What a webhook is sent about an event, in the form that Standard Webhooks recommends. */
@Schema(description = "What is posted to a webhook's url")
public record WebhookMessage(
    @Schema(example = "SandboxStarted") String type,
    @Schema(description = "When it happened", format = "date-time") String timestamp,
    EventView data) {

  /** As it is signed and sent. */
  public static String text(EventStore.Stored event, ObjectMapper json) {
    EventView view = EventView.of(event);
    try {
      return json.writeValueAsString(new WebhookMessage(view.type(), view.at(), view));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + view.eventId(), e);
    }
  }
}
