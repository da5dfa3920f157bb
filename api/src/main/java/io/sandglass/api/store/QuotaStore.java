package io.sandglass.api.store;

import io.sandglass.api.domain.Quota;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Status;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/**
 * Quotas, and what is held of them: a row for each sandbox from before it is asked for until the
 * projection has seen its end.
 */
public final class QuotaStore {
  private static final String HOLD =
      "INSERT INTO reservations (sandbox_id, org_id, cpu_millis, memory_bytes, reserved_at_ms)"
          + " VALUES (:id, :org, :cpu, :memory, :at) ON CONFLICT DO NOTHING";

  private final Jdbi jdbi;

  public QuotaStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Quota.Wish wish(String orgId) {
    return jdbi.withHandle(handle -> wish(handle, orgId));
  }

  /** Replaces what was said before. */
  public void put(String orgId, Quota.Wish wish) {
    jdbi.useTransaction(
        handle -> {
          lock(handle, orgId);
          handle.execute("DELETE FROM quotas WHERE org_id = ?", orgId);
          handle
              .createUpdate(
                  "INSERT INTO quotas"
                      + " (org_id, live_sandboxes, cpu_millis, memory_mb, creates_per_second)"
                      + " VALUES (:org, :live, :cpu, :memory, :creates)")
              .bind("org", orgId)
              .bind("live", wish.liveSandboxes())
              .bind("cpu", wish.cpuMillis())
              .bind("memory", wish.memoryMb())
              .bind("creates", wish.createsPerSecond())
              .execute();
        });
  }

  public Quota.Use use(String orgId) {
    return jdbi.withHandle(handle -> use(handle, orgId));
  }

  /**
   * Holds a sandbox's share when what the organization then has is within bounds; a sandbox that
   * has its share already keeps it. One creation after the other is decided in an organization,
   * whichever instance asks.
   *
   * @return what it would have been, when that is too much
   */
  public Optional<Quota.Use> reserve(
      String orgId,
      String sandboxId,
      Size size,
      Instant at,
      BiPredicate<Quota.Wish, Quota.Use> within) {
    return jdbi.inTransaction(
        handle -> {
          lock(handle, orgId);
          boolean held =
              handle
                  .createQuery("SELECT 1 FROM reservations WHERE sandbox_id = :id")
                  .bind("id", sandboxId)
                  .mapTo(Integer.class)
                  .findOne()
                  .isPresent();
          if (held) {
            return Optional.empty();
          }
          Quota.Use then = use(handle, orgId).with(size);
          if (!within.test(wish(handle, orgId), then)) {
            return Optional.of(then);
          }
          PreparedBatch one = handle.prepareBatch(HOLD);
          bind(one, sandboxId, orgId, size, at);
          one.execute();
          return Optional.empty();
        });
  }

  /** For a sandbox that never came to be. */
  public void release(String sandboxId) {
    jdbi.useHandle(
        handle -> handle.execute("DELETE FROM reservations WHERE sandbox_id = ?", sandboxId));
  }

  /** Those of sandboxes that were asked for before the instant and are not there. */
  public int deleteOrphansBefore(Instant instant) {
    return jdbi.withHandle(
        handle ->
            handle.execute(
                "DELETE FROM reservations WHERE reserved_at_ms < ? AND NOT EXISTS"
                    + " (SELECT 1 FROM sandboxes WHERE sandboxes.id = reservations.sandbox_id)",
                instant.toEpochMilli()));
  }

  /** In the transaction that folds: what is new holds its share, what has ended does not. */
  static void fold(Handle handle, Collection<Sandbox> changed) {
    PreparedBatch held = handle.prepareBatch(HOLD);
    PreparedBatch free = handle.prepareBatch("DELETE FROM reservations WHERE sandbox_id = :id");
    for (Sandbox sandbox : changed) {
      if (sandbox.status() == Status.DESTROYED) {
        free.bind("id", sandbox.id()).add();
      } else {
        bind(
            held,
            sandbox.id(),
            sandbox.orgId(),
            sandbox.spec().size(),
            sandbox.times().createdAt());
      }
    }
    for (PreparedBatch batch : List.of(held, free)) {
      if (batch.size() > 0) {
        batch.execute();
      }
    }
  }

  /** In the transaction that folds: these were asked for, and refused. */
  static void refused(Handle handle, Collection<String> sandboxIds) {
    if (!sandboxIds.isEmpty()) {
      handle
          .createUpdate(
              "DELETE FROM reservations WHERE sandbox_id IN (<ids>) AND NOT EXISTS"
                  + " (SELECT 1 FROM sandboxes WHERE sandboxes.id = reservations.sandbox_id)")
          .bindList("ids", List.copyOf(sandboxIds))
          .execute();
    }
  }

  /** What follows in the transaction, one does after the other. */
  private static void lock(Handle handle, String orgId) {
    var _ =
        handle
            .createQuery("SELECT id FROM organizations WHERE id = :org FOR UPDATE")
            .bind("org", orgId)
            .mapTo(String.class)
            .one();
  }

  private static void bind(
      PreparedBatch batch, String sandboxId, String orgId, Size size, Instant at) {
    batch
        .bind("id", sandboxId)
        .bind("org", orgId)
        .bind("cpu", size.cpuMillis())
        .bind("memory", size.memoryBytes())
        .bind("at", at.toEpochMilli())
        .add();
  }

  private static Quota.Wish wish(Handle handle, String orgId) {
    return handle
        .createQuery("SELECT * FROM quotas WHERE org_id = :org")
        .bind("org", orgId)
        .map(
            (row, context) ->
                new Quota.Wish(
                    number(row, "live_sandboxes"),
                    number(row, "cpu_millis"),
                    number(row, "memory_mb"),
                    row.getObject("creates_per_second", Integer.class)))
        .findOne()
        .orElse(Quota.Wish.NONE);
  }

  private static Long number(ResultSet row, String column) throws SQLException {
    return row.getObject(column, Long.class);
  }

  private static Quota.Use use(Handle handle, String orgId) {
    return handle
        .createQuery(
            "SELECT COUNT(*) AS live, COALESCE(SUM(cpu_millis), 0) AS cpu,"
                + " COALESCE(SUM(memory_bytes), 0) AS memory FROM reservations WHERE org_id = :org")
        .bind("org", orgId)
        .map(
            (row, context) ->
                new Quota.Use(row.getLong("live"), row.getLong("cpu"), row.getLong("memory")))
        .one();
  }
}
