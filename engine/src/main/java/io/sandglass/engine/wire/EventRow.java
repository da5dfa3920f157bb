package io.sandglass.engine.wire;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.WireFormat;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificRecord;

/**
 * An event as it is exported: what every event says of itself, and what is its type's own.
 *
 * @param data without what is encrypted
 */
@JsonPropertyOrder({
  "event_id",
  "org_id",
  "sandbox_id",
  "version",
  "type",
  "at",
  "due_at",
  "cause",
  "actor",
  "request_id",
  "command_id",
  "status_after",
  "incarnation",
  "node_id",
  "data"
})
public record EventRow(
    @JsonProperty("event_id") String eventId,
    @JsonProperty("org_id") String org,
    @JsonProperty("sandbox_id") String sandboxId,
    @JsonProperty("version") long version,
    @JsonProperty("type") String type,
    @JsonProperty("at") Instant at,
    @JsonProperty("due_at") Instant dueAt,
    @JsonProperty("cause") String cause,
    @JsonProperty("actor") String actor,
    @JsonProperty("request_id") String requestId,
    @JsonProperty("command_id") String commandId,
    @JsonProperty("status_after") String statusAfter,
    @JsonProperty("incarnation") int incarnation,
    @JsonProperty("node_id") String nodeId,
    @JsonProperty("data") Map<String, Object> data) {
  private static final String META = "meta";

  /** The row of a record's value; empty when it is no event of this release. */
  public static Optional<EventRow> read(byte[] value) {
    return value != null
            && WireFormat.decode(value) instanceof Decoded.Known(SpecificRecord record)
            && record.getSchema().getField(META) != null
            && record.get(record.getSchema().getField(META).pos()) instanceof EventMeta meta
        ? Optional.of(row(record, meta))
        : Optional.empty();
  }

  private static EventRow row(SpecificRecord record, EventMeta meta) {
    return new EventRow(
        meta.getEventId(),
        meta.getOrgId(),
        meta.getSandboxId(),
        meta.getVersion(),
        record.getSchema().getName(),
        meta.getAt(),
        meta.getDueAt(),
        meta.getCause(),
        meta.getActor(),
        meta.getRequestId(),
        meta.getCommandId(),
        meta.getStatusAfter(),
        meta.getIncarnation(),
        meta.getNodeId(),
        fields(record));
  }

  private static Map<String, Object> fields(IndexedRecord record) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (Schema.Field field : record.getSchema().getFields()) {
      Object content = record.get(field.pos());
      if (!field.name().equals(META) && !(content instanceof ByteBuffer)) {
        fields.put(field.name(), plain(content));
      }
    }
    return fields;
  }

  private static Object plain(Object content) {
    return switch (content) {
      case IndexedRecord record -> fields(record);
      case List<?> list -> list.stream().map(EventRow::plain).toList();
      case null, default -> content;
    };
  }
}
