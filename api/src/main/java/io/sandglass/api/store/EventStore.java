package io.sandglass.api.store;

import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.Status;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/** The histories of all sandboxes, ended ones too. */
public final class EventStore {

  /**
   * An event for reading.
   *
   * @param data what happened, as JSON
   */
  public record Stored(EventHeader header, String type, String data) {}

  private final Jdbi jdbi;

  public EventStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** Oldest first, those with a version above {@code after}. */
  public List<Stored> history(String sandboxId, long after, int limit) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM events WHERE sandbox_id = :id AND version > :after"
                        + " ORDER BY version LIMIT :limit")
                .bind("id", sandboxId)
                .bind("after", after)
                .bind("limit", limit)
                .map((row, context) -> stored(row))
                .list());
  }

  static void append(Handle handle, List<SandboxEvent> events) {
    if (events.isEmpty()) {
      return;
    }
    PreparedBatch rows =
        handle.prepareBatch(
            """
            INSERT INTO events (sandbox_id, version, event_id, org_id, type, at_ms, due_at_ms, \
            cause, actor, request_id, command_id, status_after, incarnation, node_id, data) \
            VALUES (:sandbox, :version, :event, :org, :type, :at, :dueAt, :cause, :actor, \
            :request, :command, :status, :incarnation, :node, :data) ON CONFLICT DO NOTHING""");
    for (SandboxEvent event : events) {
      EventHeader header = event.header();
      rows.bind("sandbox", header.sandboxId())
          .bind("version", header.version())
          .bind("event", header.eventId())
          .bind("org", header.orgId())
          .bind("type", event.fact().type())
          .bind("at", header.at().toEpochMilli())
          .bind("dueAt", SandboxRow.millis(header.dueAt()))
          .bind("cause", header.cause())
          .bind("actor", header.actor())
          .bind("request", header.requestId())
          .bind("command", header.commandId())
          .bind("status", header.statusAfter().text())
          .bind("incarnation", header.incarnation())
          .bind("node", header.nodeId())
          .bind("data", Json.write(event.fact()))
          .add();
    }
    rows.execute();
  }

  private static Stored stored(ResultSet row) throws SQLException {
    return new Stored(
        new EventHeader(
            row.getString("event_id"),
            row.getString("sandbox_id"),
            row.getString("org_id"),
            row.getLong("version"),
            SandboxRow.instant(row, "at_ms"),
            SandboxRow.instant(row, "due_at_ms"),
            row.getString("cause"),
            row.getString("actor"),
            row.getString("request_id"),
            row.getString("command_id"),
            Status.parse(row.getString("status_after")).orElseThrow(),
            row.getInt("incarnation"),
            row.getString("node_id")),
        row.getString("type"),
        row.getString("data"));
  }
}
