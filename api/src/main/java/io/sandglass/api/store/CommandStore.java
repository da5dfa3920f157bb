package io.sandglass.api.store;

import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/** What became of commands, for as long as anyone may ask. */
public final class CommandStore {
  private static final String PENDING = "pending";
  private static final String ACCEPTED = "accepted";
  private static final String REJECTED = "rejected";

  private final Jdbi jdbi;

  public CommandStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Optional<CommandResult> find(String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM commands WHERE id = :id")
                .bind("id", id)
                .map((row, context) -> result(row))
                .findOne());
  }

  /** Notes a command whose outcome is not known yet; what is known already stays. */
  public void pending(String id, String sandboxId, String orgId, Instant at) {
    jdbi.useHandle(
        handle ->
            handle
                .createUpdate(
                    "INSERT INTO commands (id, org_id, sandbox_id, status, at_ms)"
                        + " VALUES (:id, :org, :sandbox, :status, :at) ON CONFLICT DO NOTHING")
                .bind("id", id)
                .bind("org", orgId)
                .bind("sandbox", sandboxId)
                .bind("status", PENDING)
                .bind("at", at.toEpochMilli())
                .execute());
  }

  public int deleteBefore(Instant instant) {
    return jdbi.withHandle(
        handle -> handle.execute("DELETE FROM commands WHERE at_ms < ?", instant.toEpochMilli()));
  }

  static void record(Handle handle, List<CommandResult> results) {
    if (results.isEmpty()) {
      return;
    }
    PreparedBatch inserts =
        handle.prepareBatch(
            "INSERT INTO commands (id, org_id, sandbox_id, status, at_ms)"
                + " VALUES (:id, :org, :sandbox, 'pending', :at) ON CONFLICT DO NOTHING");
    PreparedBatch updates =
        handle.prepareBatch(
            "UPDATE commands SET status = :status, code = :code, detail = :detail,"
                + " version = :version, at_ms = :at WHERE id = :id");
    for (CommandResult result : results) {
      inserts
          .bind("id", result.commandId())
          .bind("org", result.orgId())
          .bind("sandbox", result.sandboxId())
          .bind("at", result.at().toEpochMilli())
          .add();
      updates.bind("id", result.commandId()).bind("at", result.at().toEpochMilli());
      switch (result.decision()) {
        case Decision.Accepted(long version) ->
            updates
                .bind("status", ACCEPTED)
                .bind("code", (String) null)
                .bind("detail", (String) null)
                .bind("version", version)
                .add();
        case Decision.Rejected(String code, String detail, long version) ->
            updates
                .bind("status", REJECTED)
                .bind("code", code)
                .bind("detail", detail)
                .bind("version", version)
                .add();
        case Decision.Undecided() ->
            throw new IllegalArgumentException("The log holds only what is decided");
      }
    }
    inserts.execute();
    updates.execute();
  }

  private static CommandResult result(ResultSet row) throws SQLException {
    String status = row.getString("status");
    Decision decision =
        switch (status) {
          case ACCEPTED -> new Decision.Accepted(row.getLong("version"));
          case REJECTED ->
              new Decision.Rejected(
                  row.getString("code"), row.getString("detail"), row.getLong("version"));
          default -> new Decision.Undecided();
        };
    return new CommandResult(
        row.getString("id"),
        row.getString("sandbox_id"),
        row.getString("org_id"),
        decision,
        SandboxRow.instant(row, "at_ms"));
  }
}
