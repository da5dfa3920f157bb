package io.sandglass.api.store;

import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxHistory;
import io.sandglass.api.domain.Status;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/** The histories of all sandboxes, ended ones too. */
public final class EventStore {
  /**
   * Of every so many events of a sandbox it is kept what they led to, so that no more than that are
   * folded to show a moment.
   */
  static final int SNAPSHOT_EVERY = 100;

  static final String HISTORY =
      "SELECT * FROM events WHERE sandbox_id = :id AND version > :after AND version <= :until"
          + " ORDER BY version LIMIT :limit";

  static final String LAST_UNTIL =
      "SELECT MAX(version) FROM events WHERE sandbox_id = :id AND at_ms <= :time";

  static final String SNAPSHOT_UNTIL =
      "SELECT * FROM sandbox_snapshots WHERE id = :id AND version <= :version"
          + " ORDER BY version DESC LIMIT 1";

  /**
   * An event for reading.
   *
   * @param data what happened, as JSON
   */
  public record Stored(EventHeader header, String type, String data, int partition, long offset) {}

  /** An event and where in the log it stands. */
  record Placed(int partition, long offset, SandboxEvent event) {}

  /**
   * Which events of an organization.
   *
   * @param types any of these; none for all
   * @param from not before; null for any
   * @param to before; null for any
   */
  public record Query(String orgId, Set<String> types, Instant from, Instant to) {}

  /**
   * A stretch of a history.
   *
   * @param start the cursor it follows
   * @param end the cursor for what follows
   * @param more whether something follows already
   */
  public record Page(List<Stored> events, HistoryCursor start, HistoryCursor end, boolean more) {}

  private final Jdbi jdbi;
  private final String topic;

  /**
   * @param topic the name of the log that the events are read from
   */
  public EventStore(Jdbi jdbi, String topic) {
    this.jdbi = jdbi;
    this.topic = topic;
  }

  /** Where the history ends at this moment. */
  public HistoryCursor end() {
    return jdbi.withHandle(this::end);
  }

  HistoryCursor end(Handle handle) {
    return HistoryCursor.of(ProjectionStore.offsets(handle, topic));
  }

  /**
   * What follows a cursor: each sandbox's events by version, those of different sandboxes by time
   * as far as that is known now.
   */
  public Page page(Query query, HistoryCursor after, int limit) {
    return jdbi.withHandle(handle -> page(handle, query, after, limit));
  }

  Page page(Handle handle, Query query, HistoryCursor after, int limit) {
    // The end first: what lies before it is visible to every statement from now on.
    HistoryCursor end = end(handle);
    List<Integer> partitions =
        end.next().keySet().stream()
            .filter(partition -> after.in(partition) < end.in(partition))
            .toList();
    if (partitions.isEmpty()) {
      return new Page(List.of(), after, after, false);
    }
    var statement =
        handle
            .createQuery(following(query, after, end, partitions))
            .bind("org", query.orgId())
            .bind("limit", limit + 1);
    if (!query.types().isEmpty()) {
      statement.bindList("types", query.types().stream().sorted().toList());
    }
    if (query.from() != null) {
      statement.bind("from", query.from().toEpochMilli());
    }
    if (query.to() != null) {
      statement.bind("to", query.to().toEpochMilli());
    }
    List<Stored> found = statement.map((row, context) -> stored(row)).list();
    if (found.size() <= limit) {
      return new Page(found, after, after.and(end), false);
    }
    List<Stored> page = found.subList(0, limit);
    HistoryCursor reached = after;
    for (Stored event : page) {
      reached = reached.after(event.partition(), event.offset());
    }
    return new Page(List.copyOf(page), after, reached, true);
  }

  /**
   * A few rows of every partition, merged by time. A clock that stepped back must not put an event
   * before an earlier one of its partition: each counts with the latest time up to it.
   */
  private static String following(
      Query query, HistoryCursor after, HistoryCursor end, List<Integer> partitions) {
    String filter =
        (query.types().isEmpty() ? "" : " AND type IN (<types>)")
            + (query.from() == null ? "" : " AND at_ms >= :from")
            + (query.to() == null ? "" : " AND at_ms < :to");
    String rows =
        partitions.stream()
            .map(
                partition ->
                    "(SELECT * FROM events WHERE org_id = :org AND log_partition = "
                        + partition
                        + " AND log_offset >= "
                        + after.in(partition)
                        + " AND log_offset < "
                        + end.in(partition)
                        + filter
                        + " ORDER BY log_offset LIMIT :limit)")
            .collect(Collectors.joining(" UNION ALL "));
    return "SELECT * FROM (SELECT found.*, MAX(at_ms) OVER"
        + " (PARTITION BY log_partition ORDER BY log_offset) AS clock_ms FROM ("
        + rows
        + ") found) merged ORDER BY clock_ms, log_partition, log_offset LIMIT :limit";
  }

  /**
   * The sandbox as it was, folded from its events as the projection does, without the values of its
   * environment; empty when it was not there yet.
   *
   * @param now the sandbox as it is
   */
  public Optional<Sandbox> asOf(Sandbox now, Instant time) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(LAST_UNTIL)
                .bind("id", now.id())
                .bind("time", time.toEpochMilli())
                .mapTo(Long.class)
                .findOne()
                .flatMap(version -> asOf(handle, now.withoutEnvValues(), version)));
  }

  private static Optional<Sandbox> asOf(Handle handle, Sandbox now, long version) {
    Optional<Sandbox> snapshot =
        handle
            .createQuery(SNAPSHOT_UNTIL)
            .bind("id", now.id())
            .bind("version", version)
            .map(new SandboxRow())
            .findOne();
    return handle
        .createQuery(HISTORY)
        .bind("id", now.id())
        .bind("after", snapshot.map(Sandbox::version).orElse(0L))
        .bind("until", version)
        .bind("limit", SNAPSHOT_EVERY)
        .map((row, context) -> stored(row))
        .reduce(
            snapshot,
            (before, event) ->
                Optional.of(
                    SandboxHistory.after(
                        before,
                        new SandboxEvent(
                            event.header(), Json.fact(event.type(), event.data(), now.spec())))));
  }

  /** Oldest first, those with a version above {@code after}. */
  public List<Stored> history(String sandboxId, long after, int limit) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(HISTORY)
                .bind("id", sandboxId)
                .bind("after", after)
                .bind("until", Long.MAX_VALUE)
                .bind("limit", limit)
                .map((row, context) -> stored(row))
                .list());
  }

  static void append(Handle handle, List<Placed> events) {
    if (events.isEmpty()) {
      return;
    }
    PreparedBatch rows =
        handle.prepareBatch(
            """
            INSERT INTO events (sandbox_id, version, event_id, org_id, type, at_ms, due_at_ms, \
            cause, actor, request_id, command_id, status_after, incarnation, node_id, data, \
            log_partition, log_offset) \
            VALUES (:sandbox, :version, :event, :org, :type, :at, :dueAt, :cause, :actor, \
            :request, :command, :status, :incarnation, :node, :data, :partition, :offset) \
            ON CONFLICT DO NOTHING\
            """);
    for (Placed placed : events) {
      SandboxEvent event = placed.event();
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
          .bind("partition", placed.partition())
          .bind("offset", placed.offset())
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
        row.getString("data"),
        row.getInt("log_partition"),
        row.getLong("log_offset"));
  }
}
