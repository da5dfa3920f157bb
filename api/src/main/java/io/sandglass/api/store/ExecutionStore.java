package io.sandglass.api.store;

import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.ExecutionRecord;
import io.sandglass.api.domain.Fact;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/** The commands that ran, as the projection has them. */
public final class ExecutionStore {
  /** Of what the log calls executions, those that run something. Transfers are in the events. */
  private static final Set<String> COMMANDS = Set.of("command", "detached");

  private static final String ENDED_WITH_SANDBOX =
      "lost: the sandbox ended before its end was told";

  private final Jdbi jdbi;

  public ExecutionStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Optional<ExecutionRecord> find(String sandboxId, String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM executions WHERE sandbox_id = :sandbox AND id = :id")
                .bind("sandbox", sandboxId)
                .bind("id", id)
                .map((row, context) -> read(row))
                .findOne());
  }

  /**
   * Newest first, one more than the limit when there are more.
   *
   * @param before only those whose start has a lower version
   */
  public List<ExecutionRecord> list(String sandboxId, long before, int limit) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM executions WHERE sandbox_id = :sandbox"
                        + " AND started_version < :before"
                        + " ORDER BY started_version DESC LIMIT :limit")
                .bind("sandbox", sandboxId)
                .bind("before", before)
                .bind("limit", limit + 1)
                .map((row, context) -> read(row))
                .list());
  }

  private record Key(String sandboxId, String id) {}

  /**
   * Folds events that are news, those of a sandbox in their order. An id that begins again, as a
   * forgotten idempotency key makes it, is the newer execution.
   */
  static void fold(Handle handle, List<EventStore.Placed> news) {
    Map<Key, EventStore.Placed> starts = new LinkedHashMap<>();
    List<EventStore.Placed> ends = new ArrayList<>();
    for (EventStore.Placed placed : news) {
      String sandbox = placed.event().header().sandboxId();
      Fact fact = placed.event().fact();
      if (fact instanceof Fact.ExecutionStarted started && COMMANDS.contains(started.kind())) {
        starts.put(new Key(sandbox, started.executionId()), placed);
      } else if (fact instanceof Fact.ExecutionFinished || fact instanceof Fact.SandboxEnded) {
        ends.add(placed);
      }
    }
    begin(handle, starts);
    end(handle, ends);
  }

  private static void begin(Handle handle, Map<Key, EventStore.Placed> starts) {
    PreparedBatch replaced =
        handle.prepareBatch("DELETE FROM executions WHERE sandbox_id = :sandbox AND id = :id");
    PreparedBatch rows =
        handle.prepareBatch(
            """
            INSERT INTO executions (sandbox_id, id, command, detached, timeout_ms, actor, \
            started_version, started_at_ms, timed_out, truncated) \
            VALUES (:sandbox, :id, :command, :detached, :timeout, :actor, :version, :at, FALSE, \
            FALSE)""");
    starts.forEach(
        (key, placed) -> {
          EventHeader header = placed.event().header();
          Fact.ExecutionStarted started = (Fact.ExecutionStarted) placed.event().fact();
          replaced.bind("sandbox", key.sandboxId()).bind("id", key.id()).add();
          rows.bind("sandbox", key.sandboxId())
              .bind("id", key.id())
              .bind("command", started.subject())
              .bind("detached", started.kind().equals("detached"))
              .bind("timeout", started.timeout().toMillis())
              .bind("actor", header.actor())
              .bind("version", header.version())
              .bind("at", header.at().toEpochMilli())
              .add();
        });
    execute(List.of(replaced, rows));
  }

  private static void end(Handle handle, List<EventStore.Placed> ends) {
    PreparedBatch told =
        handle.prepareBatch(
            """
            UPDATE executions SET ended_at_ms = :at, exit_code = :exitCode, \
            timed_out = :timedOut, truncated = :truncated, stdout_bytes = :stdout, \
            stderr_bytes = :stderr, duration_ms = :duration, failure = :failure \
            WHERE sandbox_id = :sandbox AND id = :id AND started_version < :version \
            AND ended_at_ms IS NULL""");
    PreparedBatch untold =
        handle.prepareBatch(
            "UPDATE executions SET ended_at_ms = :at, failure = :failure"
                + " WHERE sandbox_id = :sandbox AND ended_at_ms IS NULL");
    for (EventStore.Placed placed : ends) {
      EventHeader header = placed.event().header();
      if (placed.event().fact() instanceof Fact.ExecutionFinished finished) {
        told.bind("at", header.at().toEpochMilli())
            .bind("exitCode", finished.exitCode())
            .bind("timedOut", finished.timedOut())
            .bind("truncated", finished.truncated())
            .bind("stdout", finished.stdoutBytes())
            .bind("stderr", finished.stderrBytes())
            .bind("duration", finished.durationMs())
            .bind("failure", finished.failure())
            .bind("sandbox", header.sandboxId())
            .bind("id", finished.executionId())
            .bind("version", header.version())
            .add();
      } else {
        untold
            .bind("at", header.at().toEpochMilli())
            .bind("failure", ENDED_WITH_SANDBOX)
            .bind("sandbox", header.sandboxId())
            .add();
      }
    }
    execute(List.of(told, untold));
  }

  private static void execute(List<PreparedBatch> batches) {
    for (PreparedBatch batch : batches) {
      if (batch.size() > 0) {
        batch.execute();
      }
    }
  }

  private static ExecutionRecord read(ResultSet row) throws SQLException {
    Instant endedAt = SandboxRow.instant(row, "ended_at_ms");
    return new ExecutionRecord(
        row.getString("sandbox_id"),
        row.getString("id"),
        row.getString("command"),
        row.getBoolean("detached"),
        Duration.ofMillis(row.getLong("timeout_ms")),
        row.getString("actor"),
        row.getLong("started_version"),
        SandboxRow.instant(row, "started_at_ms"),
        endedAt == null
            ? null
            : new ExecutionRecord.End(
                endedAt,
                row.getObject("exit_code", Integer.class),
                row.getBoolean("timed_out"),
                row.getBoolean("truncated"),
                row.getObject("stdout_bytes", Long.class),
                row.getObject("stderr_bytes", Long.class),
                row.getObject("duration_ms", Long.class),
                row.getString("failure")));
  }
}
