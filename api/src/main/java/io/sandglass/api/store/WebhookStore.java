package io.sandglass.api.store;

import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Webhook;
import io.sandglass.api.store.EventStore.Query;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.SqlStatement;

/** Where organizations want to hear of their events. */
public final class WebhookStore {

  /** A webhook, and up to where deliveries have been planned for it. */
  public record Following(Webhook webhook, HistoryCursor cursor) {
    Query query() {
      return new Query(webhook.orgId(), webhook.eventTypes(), null, null);
    }
  }

  /**
   * Where to send, and what to sign with.
   *
   * @param sealedOldSecret null when none was replaced
   * @param oldSecretUntil null when none was replaced
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Destination(
      String url, byte[] sealedSecret, byte[] sealedOldSecret, Instant oldSecretUntil) {}

  /** What is to be different; empty for what stays. */
  public record Change(
      Optional<String> url,
      Optional<String> description,
      Optional<Set<String>> eventTypes,
      Optional<Boolean> enabled) {}

  private final Jdbi jdbi;
  private final EventStore events;

  public WebhookStore(Jdbi jdbi, EventStore events) {
    this.jdbi = jdbi;
    this.events = events;
  }

  /**
   * Adds one that hears of everything from now on.
   *
   * @param most how many an organization may have; false when it has
   */
  public boolean add(Webhook webhook, byte[] sealedSecret, int most) {
    return jdbi.inTransaction(
        handle -> {
          // Of two that come at once, one counts the other's.
          handle
              .createQuery("SELECT id FROM organizations WHERE id = :org FOR UPDATE")
              .bind("org", webhook.orgId())
              .mapTo(String.class)
              .one();
          if (list(handle, webhook.orgId()).size() >= most) {
            return false;
          }
          bind(
                  handle.createUpdate(
                      "INSERT INTO webhooks (id, org_id, url, description, event_types,"
                          + " sealed_secret, history_cursor, created_at_ms, created_by)"
                          + " VALUES (:id, :org, :url, :description, :types, :secret, :cursor,"
                          + " :created_at, :created_by)"),
                  webhook)
              .bind("org", webhook.orgId())
              .bind("secret", sealedSecret)
              .bind("cursor", events.end(handle).text())
              .bind("created_at", webhook.createdAt().toEpochMilli())
              .bind("created_by", webhook.createdBy())
              .execute();
          return true;
        });
  }

  /** Oldest first. */
  public List<Webhook> list(String orgId) {
    return jdbi.withHandle(handle -> list(handle, orgId));
  }

  private static List<Webhook> list(Handle handle, String orgId) {
    return handle
        .createQuery("SELECT * FROM webhooks WHERE org_id = :org ORDER BY created_at_ms, id")
        .bind("org", orgId)
        .map((row, context) -> webhook(row))
        .list();
  }

  public Optional<Webhook> find(String orgId, String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM webhooks WHERE id = :id AND org_id = :org")
                .bind("id", id)
                .bind("org", orgId)
                .map((row, context) -> webhook(row))
                .findOne());
  }

  /** Those that are sent to. */
  public List<Following> following() {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM webhooks WHERE disabled_at_ms IS NULL")
                .map((row, context) -> followed(row))
                .list());
  }

  public Optional<Destination> destination(String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM webhooks WHERE id = :id")
                .bind("id", id)
                .map(
                    (row, context) ->
                        new Destination(
                            row.getString("url"),
                            row.getBytes("sealed_secret"),
                            row.getBytes("sealed_old_secret"),
                            SandboxRow.instant(row, "old_secret_until_ms")))
                .findOne());
  }

  /** The webhook after the change; empty when the organization has no such webhook. */
  public Optional<Webhook> change(String orgId, String id, Change change, Instant now) {
    return jdbi.inTransaction(
        handle ->
            lock(handle, id)
                .filter(found -> found.webhook().orgId().equals(orgId))
                .map(found -> change(handle, found, change, now)));
  }

  private Webhook change(Handle handle, Following found, Change change, Instant now) {
    Webhook before = found.webhook();
    Webhook after =
        new Webhook(
            before.id(),
            before.orgId(),
            change.url().orElse(before.url()),
            change.description().orElse(before.description()),
            change.eventTypes().orElse(before.eventTypes()),
            before.disabled(),
            before.createdAt(),
            before.createdBy(),
            before.lastDeliveredAt(),
            before.pausedUntil());
    bind(
            handle.createUpdate(
                "UPDATE webhooks SET url = :url, description = :description,"
                    + " event_types = :types, history_cursor = :cursor WHERE id = :id"),
            after)
        .bind("cursor", cursor(handle, found, after).text())
        .execute();
    if (before.pausedUntil().isPresent()
        && (change.enabled().orElse(false) || !after.url().equals(before.url()))) {
      handle.execute("UPDATE webhooks SET paused_until_ms = NULL WHERE id = ?", before.id());
      DeliveryStore.hurry(handle, before.id(), now);
    }
    change
        .enabled()
        .ifPresent(
            enabled -> {
              if (!enabled) {
                disable(handle, before, Webhook.Cause.REQUESTED, now);
              } else if (before.disabled().isPresent()) {
                handle.execute(
                    "UPDATE webhooks SET disabled_at_ms = NULL, disabled_cause = NULL WHERE id = ?",
                    before.id());
                DeliveryStore.resume(handle, before.id(), now);
              }
            });
    return lock(handle, before.id()).orElseThrow().webhook();
  }

  /** With other types: from now on, when nothing of the former ones is left to plan. */
  private HistoryCursor cursor(Handle handle, Following found, Webhook after) {
    if (after.eventTypes().equals(found.webhook().eventTypes())) {
      return found.cursor();
    }
    EventStore.Page left = events.page(handle, found.query(), found.cursor(), 1);
    return left.events().isEmpty() ? left.end() : found.cursor();
  }

  /** The webhook with another secret; both sign until then. */
  public Optional<Webhook> rotate(String orgId, String id, byte[] sealedSecret, Instant oldUntil) {
    return jdbi.inTransaction(
        handle -> {
          handle
              .createUpdate(
                  "UPDATE webhooks SET sealed_old_secret = sealed_secret,"
                      + " old_secret_until_ms = :until, sealed_secret = :secret"
                      + " WHERE id = :id AND org_id = :org")
              .bind("until", oldUntil.toEpochMilli())
              .bind("secret", sealedSecret)
              .bind("id", id)
              .bind("org", orgId)
              .execute();
          return find(orgId, id);
        });
  }

  /** False when the organization has no such webhook. */
  public boolean delete(String orgId, String id) {
    return jdbi.inTransaction(
        handle -> {
          if (lock(handle, id).filter(found -> found.webhook().orgId().equals(orgId)).isEmpty()) {
            return false;
          }
          handle.execute("DELETE FROM webhook_deliveries WHERE webhook_id = ?", id);
          handle.execute("DELETE FROM webhooks WHERE id = ?", id);
          return true;
        });
  }

  /**
   * Held by whoever changes the webhook or what waits for it, so that of the events of one sandbox
   * never two are first.
   */
  static Optional<Following> lock(Handle handle, String id) {
    return handle
        .createQuery("SELECT * FROM webhooks WHERE id = :id FOR UPDATE")
        .bind("id", id)
        .map((row, context) -> followed(row))
        .findOne();
  }

  /** Empty when somebody else holds it. */
  static Optional<Following> tryLock(Handle handle, String id) {
    return handle
        .createQuery("SELECT * FROM webhooks WHERE id = :id FOR UPDATE SKIP LOCKED")
        .bind("id", id)
        .map((row, context) -> followed(row))
        .findOne();
  }

  /** Sends nothing until then. */
  static void pause(Handle handle, String id, Instant until) {
    handle.execute(
        "UPDATE webhooks SET paused_until_ms = ? WHERE id = ?", until.toEpochMilli(), id);
  }

  /** Notes that it took an event; a pause that was over by then is forgotten. */
  static void delivered(Handle handle, String id, Instant at) {
    handle
        .createUpdate(
            "UPDATE webhooks SET last_delivered_at_ms = :at, paused_until_ms ="
                + " CASE WHEN paused_until_ms > :at THEN paused_until_ms END WHERE id = :id")
        .bind("at", at.toEpochMilli())
        .bind("id", id)
        .execute();
  }

  /** Stops sending; the first cause stays. */
  static void disable(Handle handle, Webhook webhook, Webhook.Cause cause, Instant now) {
    if (webhook.disabled().isEmpty()) {
      handle.execute(
          "UPDATE webhooks SET disabled_at_ms = ?, disabled_cause = ? WHERE id = ?",
          now.toEpochMilli(),
          cause.name().toLowerCase(Locale.ROOT),
          webhook.id());
      DeliveryStore.pause(handle, webhook.id());
    }
  }

  private static <S extends SqlStatement<S>> S bind(S statement, Webhook webhook) {
    return statement
        .bind("id", webhook.id())
        .bind("url", webhook.url())
        .bind("description", webhook.description())
        .bind("types", Json.write(webhook.eventTypes().stream().sorted().toList()));
  }

  private static Following followed(ResultSet row) throws SQLException {
    return new Following(
        webhook(row), HistoryCursor.parse(row.getString("history_cursor")).orElseThrow());
  }

  private static Webhook webhook(ResultSet row) throws SQLException {
    Instant disabledAt = SandboxRow.instant(row, "disabled_at_ms");
    return new Webhook(
        row.getString("id"),
        row.getString("org_id"),
        row.getString("url"),
        row.getString("description"),
        Set.copyOf(Json.strings(row.getString("event_types"))),
        disabledAt == null
            ? Optional.empty()
            : Optional.of(
                new Webhook.Disabled(
                    disabledAt,
                    Webhook.Cause.valueOf(
                        row.getString("disabled_cause").toUpperCase(Locale.ROOT)))),
        SandboxRow.instant(row, "created_at_ms"),
        row.getString("created_by"),
        Optional.ofNullable(SandboxRow.instant(row, "last_delivered_at_ms")),
        Optional.ofNullable(SandboxRow.instant(row, "paused_until_ms")));
  }
}
