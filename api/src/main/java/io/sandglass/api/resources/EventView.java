package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.store.EventStore;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;

/** Something that happened, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Event")
record EventView(
    String eventId,
    @Schema(description = "The organization's own id for what concerns no sandbox of it")
        String sandboxId,
    @Schema(description = "1, 2, 3, … without a gap") long version,
    @Schema(example = "SandboxStarted") String type,
    @Schema(format = "date-time") String at,
    @JsonInclude(JsonInclude.Include.NON_NULL)
        @Schema(
            description = "When it was due, where a timer brought it about",
            format = "date-time")
        String dueAt,
    @Schema(allowableValues = {"command", "deadline", "report", "node_loss"}) String cause,
    @Schema(example = "key:key_01j9…") String actor,
    @Schema(nullable = true) String requestId,
    @Schema(
            description = "absent where there is no sandbox",
            allowableValues = {"creating", "running", "suspended", "destroyed", "absent"})
        String statusAfter,
    @JsonRawValue @Schema(type = "object", description = "What the type says happened")
        String data) {

  /** A stretch of a history. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "EventPage")
  record Page(List<EventView> events) {}

  static EventView of(EventStore.Stored event) {
    EventHeader header = event.header();
    return new EventView(
        header.eventId(),
        header.sandboxId(),
        header.version(),
        event.type(),
        SandboxView.text(header.at()),
        SandboxView.text(header.dueAt()),
        header.cause(),
        header.actor(),
        header.requestId(),
        header.statusAfter().text(),
        event.data());
  }
}
