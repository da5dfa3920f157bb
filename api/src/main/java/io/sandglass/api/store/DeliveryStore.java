package io.sandglass.api.store;

import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Delivery.Attempt;
import io.sandglass.api.domain.Delivery.State;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.RetrySchedule;
import io.sandglass.api.domain.Webhook;
import io.sandglass.api.store.WebhookStore.Following;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/**
 * Events on their way to webhooks. Each is a row from when it was found in the history until some
 * time after it was delivered; of a sandbox's pending ones only the first may be sent.
 */
public final class DeliveryStore {
  private static final int PLANNED_AT_ONCE = 200;

  /**
   * How far deliveries are planned.
   *
   * @param reached nothing up to there is missing
   * @param more whether there is more to plan already
   */
  public record Plan(HistoryCursor reached, boolean more) {}

  /** A webhook that something is due for. */
  public record Due(String webhookId, String orgId) {}

  /** Where a list goes on: the last delivery of the page before. */
  public record Position(Instant createdAt, String sandboxId, long version) {}

  /** What came of asking for a delivery again. */
  public enum Again {
    ASKED,
    /** There is no such delivery. */
    UNKNOWN,
    DISABLED,
    /** It is pending, and waits for an earlier event of its sandbox. */
    WAITING
  }

  private final Jdbi jdbi;
  private final EventStore events;

  public DeliveryStore(Jdbi jdbi, EventStore events) {
    this.jdbi = jdbi;
    this.events = events;
  }

  /**
   * Makes rows of the events that follow. Several instances may try at once; one of them does it.
   *
   * @param seen a place up to which there is none
   */
  public Plan plan(Following following, HistoryCursor seen, Instant now) {
    EventStore.Page glance = events.page(following.query(), following.cursor().and(seen), 1);
    if (glance.events().isEmpty()) {
      return new Plan(glance.end(), false);
    }
    return jdbi.inTransaction(
        handle -> {
          Optional<Following> locked =
              WebhookStore.tryLock(handle, following.webhook().id())
                  .filter(found -> found.webhook().disabled().isEmpty());
          if (locked.isEmpty()) {
            return new Plan(seen, false);
          }
          EventStore.Page page =
              events.page(handle, locked.get().query(), locked.get().cursor(), PLANNED_AT_ONCE);
          insert(handle, locked.get().webhook(), page.events(), now);
          handle.execute(
              "UPDATE webhooks SET history_cursor = ? WHERE id = ?",
              page.end().text(),
              following.webhook().id());
          return new Plan(page.end(), page.more());
        });
  }

  private static void insert(
      Handle handle, Webhook webhook, List<EventStore.Stored> found, Instant now) {
    if (found.isEmpty()) {
      return;
    }
    Set<String> waited =
        new HashSet<>(
            handle
                .createQuery(
                    "SELECT DISTINCT sandbox_id FROM webhook_deliveries WHERE webhook_id = :webhook"
                        + " AND state = 'pending' AND NOT asked_again"
                        + " AND sandbox_id IN (<sandboxes>)")
                .bind("webhook", webhook.id())
                .bindList(
                    "sandboxes",
                    found.stream().map(event -> event.header().sandboxId()).distinct().toList())
                .mapTo(String.class)
                .list());
    PreparedBatch rows =
        handle.prepareBatch(
            "INSERT INTO webhook_deliveries (id, webhook_id, sandbox_id, version, event_id,"
                + " event_type, state, asked_again, attempts, next_attempt_at_ms, created_at_ms)"
                + " VALUES (:id, :webhook, :sandbox, :version, :event, :type, 'pending', FALSE, 0,"
                + " :next, :now) ON CONFLICT DO NOTHING");
    for (EventStore.Stored event : found) {
      String sandboxId = event.header().sandboxId();
      rows.bind("id", Ids.derived("msg_", webhook.id(), event.header().eventId()))
          .bind("webhook", webhook.id())
          .bind("sandbox", sandboxId)
          .bind("version", event.header().version())
          .bind("event", event.header().eventId())
          .bind("type", event.type())
          .bind("next", waited.add(sandboxId) ? (Long) now.toEpochMilli() : null)
          .bind("now", now.toEpochMilli())
          .add();
    }
    rows.execute();
  }

  /** The webhooks that something may be sent to now. */
  public List<Due> due(Instant now) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT id, org_id FROM webhooks"
                        + " WHERE (paused_until_ms IS NULL OR paused_until_ms <= :now)"
                        + " AND id IN (SELECT webhook_id"
                        + " FROM webhook_deliveries WHERE next_attempt_at_ms <= :now)")
                .bind("now", now.toEpochMilli())
                .map((row, context) -> new Due(row.getString(1), row.getString(2)))
                .list());
  }

  /**
   * Takes what may be sent, for one sender; nobody else gets it until that time.
   *
   * @param sender a name that is used once
   */
  public List<Delivery> claim(
      String webhookId, String sender, Instant now, Instant until, int most) {
    return jdbi.inTransaction(
        handle -> {
          List<String> ids =
              handle
                  .createQuery(
                      "SELECT id FROM webhook_deliveries WHERE webhook_id = :webhook"
                          + " AND next_attempt_at_ms <= :now ORDER BY next_attempt_at_ms"
                          + " LIMIT :most FOR UPDATE SKIP LOCKED")
                  .bind("webhook", webhookId)
                  .bind("now", now.toEpochMilli())
                  .bind("most", most)
                  .mapTo(String.class)
                  .list();
          if (ids.isEmpty()) {
            return List.of();
          }
          handle
              .createUpdate(
                  "UPDATE webhook_deliveries SET sender = :sender, next_attempt_at_ms = :until"
                      + " WHERE id IN (<ids>)")
              .bind("sender", sender)
              .bind("until", until.toEpochMilli())
              .bindList("ids", ids)
              .execute();
          return handle
              .createQuery("SELECT * FROM webhook_deliveries WHERE id IN (<ids>)")
              .bindList("ids", ids)
              .map((row, context) -> delivery(row))
              .list();
        });
  }

  /** Gives something back that could not be tried. */
  public void postpone(Delivery delivery, String sender, Instant next) {
    jdbi.useHandle(
        handle ->
            handle.execute(
                "UPDATE webhook_deliveries SET sender = NULL, next_attempt_at_ms = ?"
                    + " WHERE id = ? AND sender = ? AND next_attempt_at_ms IS NOT NULL",
                next.toEpochMilli(),
                delivery.id(),
                sender));
  }

  /**
   * Records an attempt and what follows from it; nothing when another sender has taken over.
   *
   * @param chance from 0 to 1, for the next attempt's time
   * @return why the webhook is disabled by it; empty when it is not
   */
  public Optional<Webhook.Cause> finish(
      Delivery delivery, String sender, Attempt attempt, RetrySchedule schedule, double chance) {
    return jdbi.inTransaction(
        handle -> {
          Optional<Following> locked = WebhookStore.lock(handle, delivery.webhookId());
          Optional<Claim> claim = locked.flatMap(_ -> claim(handle, delivery.id(), sender));
          if (claim.isEmpty()) {
            return Optional.empty();
          }
          Webhook webhook = locked.get().webhook();
          Instant begun = claim.get().begun().orElse(attempt.at());
          Optional<Instant> pause =
              attempt.notBefore().map(asked -> schedule.bounded(attempt.at(), asked));
          pause.ifPresent(until -> WebhookStore.pause(handle, webhook.id(), until));
          if (delivery.isTest()) {
            State state = attempt.taken() ? State.DELIVERED : State.FAILED;
            save(handle, delivery, attempt, state, begun, null);
            return Optional.empty();
          }
          if (attempt.taken()) {
            save(handle, delivery, attempt, State.DELIVERED, begun, null);
            WebhookStore.delivered(handle, webhook.id(), attempt.at());
            goOn(handle, webhook, delivery, claim.get(), attempt.at());
            return Optional.empty();
          }
          boolean sending = webhook.disabled().isEmpty();
          Optional<Instant> next =
              schedule
                  .next(begun, delivery.attempts() + 1, attempt.at(), chance)
                  .map(planned -> pause.filter(planned::isBefore).orElse(planned));
          if (sending && !attempt.gone() && next.isEmpty() && heardSince(webhook, begun)) {
            save(handle, delivery, attempt, State.FAILED, begun, null);
            goOn(handle, webhook, delivery, claim.get(), attempt.at());
            return Optional.empty();
          }
          boolean stop = attempt.gone() || next.isEmpty();
          save(
              handle,
              delivery,
              attempt,
              State.PENDING,
              begun,
              stop || !sending ? null : next.get());
          if (!stop || !sending) {
            return Optional.empty();
          }
          Webhook.Cause cause = attempt.gone() ? Webhook.Cause.GONE : Webhook.Cause.FAILING;
          WebhookStore.disable(handle, webhook, cause, attempt.at());
          return Optional.of(cause);
        });
  }

  private record Claim(Optional<Instant> begun, boolean askedAgain) {}

  private static Optional<Claim> claim(Handle handle, String id, String sender) {
    return handle
        .createQuery(
            "SELECT begun_at_ms, asked_again FROM webhook_deliveries"
                + " WHERE id = :id AND sender = :sender")
        .bind("id", id)
        .bind("sender", sender)
        .map(
            (row, context) ->
                new Claim(
                    Optional.ofNullable(SandboxRow.instant(row, "begun_at_ms")),
                    row.getBoolean("asked_again")))
        .findOne();
  }

  private static boolean heardSince(Webhook webhook, Instant begun) {
    return webhook.lastDeliveredAt().filter(last -> !last.isBefore(begun)).isPresent();
  }

  private static void save(
      Handle handle, Delivery delivery, Attempt attempt, State state, Instant begun, Instant next) {
    handle
        .createUpdate(
            "UPDATE webhook_deliveries SET state = :state, attempts = :attempts,"
                + " begun_at_ms = :begun, last_attempt_at_ms = :at, last_status = :status,"
                + " last_error = :error, next_attempt_at_ms = :next, sender = NULL WHERE id = :id")
        .bind("state", text(state))
        .bind("attempts", delivery.attempts() + 1)
        .bind("begun", begun.toEpochMilli())
        .bind("at", attempt.at().toEpochMilli())
        .bind("status", attempt.status().orElse(null))
        .bind("error", attempt.error().orElse(null))
        .bind("next", SandboxRow.millis(next))
        .bind("id", delivery.id())
        .execute();
  }

  /** Lets the sandbox's next event be sent. */
  private static void goOn(
      Handle handle, Webhook webhook, Delivery delivery, Claim claim, Instant now) {
    if (claim.askedAgain() || webhook.disabled().isPresent()) {
      return;
    }
    handle
        .createUpdate(
            "UPDATE webhook_deliveries SET next_attempt_at_ms = :now"
                + " WHERE webhook_id = :webhook AND sandbox_id = :sandbox AND state = 'pending'"
                + " AND NOT asked_again AND version = (SELECT MIN(version)"
                + " FROM webhook_deliveries WHERE webhook_id = :webhook AND sandbox_id = :sandbox"
                + " AND state = 'pending' AND NOT asked_again)")
        .bind("now", now.toEpochMilli())
        .bind("webhook", webhook.id())
        .bind("sandbox", delivery.sandboxId())
        .execute();
  }

  /** Nothing is due any more. */
  static void pause(Handle handle, String webhookId) {
    handle.execute(
        "UPDATE webhook_deliveries SET next_attempt_at_ms = NULL"
            + " WHERE webhook_id = ? AND next_attempt_at_ms IS NOT NULL",
        webhookId);
  }

  /** What waits for its next attempt does not wait any longer. */
  static void hurry(Handle handle, String webhookId, Instant now) {
    handle
        .createUpdate(
            "UPDATE webhook_deliveries SET next_attempt_at_ms = :now"
                + " WHERE webhook_id = :webhook AND next_attempt_at_ms > :now AND sender IS NULL")
        .bind("now", now.toEpochMilli())
        .bind("webhook", webhookId)
        .execute();
  }

  /** What was pending begins anew. */
  static void resume(Handle handle, String webhookId, Instant now) {
    handle
        .createUpdate(
            "UPDATE webhook_deliveries pending SET attempts = 0, begun_at_ms = NULL,"
                + " next_attempt_at_ms = :now WHERE webhook_id = :webhook AND state = 'pending'"
                + " AND (asked_again OR version = (SELECT MIN(other.version)"
                + " FROM webhook_deliveries other WHERE other.webhook_id = :webhook"
                + " AND other.sandbox_id = pending.sandbox_id AND other.state = 'pending'"
                + " AND NOT other.asked_again))")
        .bind("now", now.toEpochMilli())
        .bind("webhook", webhookId)
        .execute();
  }

  /**
   * Has a test sent, at once and once.
   *
   * @param id of the delivery that is made for it
   */
  public Again test(String webhookId, String id, Instant now) {
    return jdbi.inTransaction(
        handle -> {
          Optional<Following> locked = WebhookStore.lock(handle, webhookId);
          if (locked.isEmpty()) {
            return Again.UNKNOWN;
          }
          if (locked.get().webhook().disabled().isPresent()) {
            return Again.DISABLED;
          }
          handle
              .createUpdate(
                  "INSERT INTO webhook_deliveries (id, webhook_id, sandbox_id, version, event_id,"
                      + " event_type, state, asked_again, attempts, next_attempt_at_ms,"
                      + " created_at_ms) VALUES (:id, :webhook, :id, 0, :id, :type, 'pending',"
                      + " TRUE, 0, :now, :now)")
              .bind("id", id)
              .bind("webhook", webhookId)
              .bind("type", Delivery.TEST)
              .bind("now", now.toEpochMilli())
              .execute();
          return Again.ASKED;
        });
  }

  /** Has something sent again, at once and out of order. */
  public Again again(String webhookId, String id, Instant now) {
    return jdbi.inTransaction(
        handle -> {
          Optional<Following> locked = WebhookStore.lock(handle, webhookId);
          Optional<Delivery> found = find(handle, webhookId, id);
          if (locked.isEmpty() || found.isEmpty()) {
            return Again.UNKNOWN;
          }
          if (locked.get().webhook().disabled().isPresent()) {
            return Again.DISABLED;
          }
          return switch (found.get().state()) {
            case PENDING -> {
              if (found.get().nextAttemptAt().isEmpty()) {
                yield Again.WAITING;
              }
              // What is being sent at this moment is sent.
              handle.execute(
                  "UPDATE webhook_deliveries SET next_attempt_at_ms = ?"
                      + " WHERE id = ? AND sender IS NULL",
                  now.toEpochMilli(),
                  id);
              yield Again.ASKED;
            }
            case DELIVERED, FAILED -> {
              handle.execute(
                  "UPDATE webhook_deliveries SET state = 'pending', asked_again = TRUE,"
                      + " attempts = 0, begun_at_ms = NULL, next_attempt_at_ms = ? WHERE id = ?",
                  now.toEpochMilli(),
                  id);
              yield Again.ASKED;
            }
          };
        });
  }

  public Optional<Delivery> find(String webhookId, String id) {
    return jdbi.withHandle(handle -> find(handle, webhookId, id));
  }

  private static Optional<Delivery> find(Handle handle, String webhookId, String id) {
    return handle
        .createQuery("SELECT * FROM webhook_deliveries WHERE id = :id AND webhook_id = :webhook")
        .bind("id", id)
        .bind("webhook", webhookId)
        .map((row, context) -> delivery(row))
        .findOne();
  }

  /**
   * Newest first.
   *
   * @param states any of these; none for all
   * @param after null for the first page
   */
  public List<Delivery> list(String webhookId, Set<State> states, Position after, int limit) {
    return jdbi.withHandle(
        handle -> {
          var query =
              handle
                  .createQuery(
                      "SELECT * FROM webhook_deliveries WHERE webhook_id = :webhook"
                          + (states.isEmpty() ? "" : " AND state IN (<states>)")
                          + (after == null
                              ? ""
                              : " AND (created_at_ms, sandbox_id, version)"
                                  + " < (:created_at, :sandbox, :version)")
                          + " ORDER BY created_at_ms DESC, sandbox_id DESC, version DESC"
                          + " LIMIT :limit")
                  .bind("webhook", webhookId)
                  .bind("limit", limit);
          if (!states.isEmpty()) {
            query.bindList("states", states.stream().map(DeliveryStore::text).toList());
          }
          if (after != null) {
            query
                .bind("created_at", after.createdAt().toEpochMilli())
                .bind("sandbox", after.sandboxId())
                .bind("version", after.version());
          }
          return query.map((row, context) -> delivery(row)).list();
        });
  }

  /** Forgets what is over and old. */
  public int deleteBefore(Instant instant) {
    return jdbi.withHandle(
        handle ->
            handle.execute(
                "DELETE FROM webhook_deliveries WHERE created_at_ms < ? AND state <> 'pending'",
                instant.toEpochMilli()));
  }

  private static String text(State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  private static Delivery delivery(ResultSet row) throws SQLException {
    int status = row.getInt("last_status");
    Optional<Integer> known = row.wasNull() ? Optional.empty() : Optional.of(status);
    Instant attemptAt = SandboxRow.instant(row, "last_attempt_at_ms");
    return new Delivery(
        row.getString("id"),
        row.getString("webhook_id"),
        row.getString("sandbox_id"),
        row.getLong("version"),
        row.getString("event_id"),
        row.getString("event_type"),
        State.valueOf(row.getString("state").toUpperCase(Locale.ROOT)),
        row.getInt("attempts"),
        attemptAt == null
            ? Optional.empty()
            : Optional.of(
                new Attempt(
                    attemptAt,
                    known,
                    Optional.ofNullable(row.getString("last_error")),
                    Optional.empty())),
        Optional.ofNullable(SandboxRow.instant(row, "next_attempt_at_ms")),
        SandboxRow.instant(row, "created_at_ms"));
  }
}
