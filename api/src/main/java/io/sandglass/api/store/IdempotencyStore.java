package io.sandglass.api.store;

import java.time.Instant;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** Requests with an idempotency key and what was answered. */
public final class IdempotencyStore {

  /**
   * A key that has been seen.
   *
   * @param answer empty while the first request is at work, or when it never came to its end
   */
  public record Entry(String fingerprint, Optional<Answer> answer) {}

  /**
   * What was answered.
   *
   * @param headers those worth repeating, as JSON
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Answer(int status, String headers, byte[] sealedBody) {}

  private final Jdbi jdbi;

  public IdempotencyStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Optional<Entry> find(String orgId, String key) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM idempotency WHERE org_id = :org AND idempotency_key = :key")
                .bind("org", orgId)
                .bind("key", key)
                .map(
                    (row, context) -> {
                      int status = row.getInt("status");
                      Optional<Answer> answer =
                          row.wasNull()
                              ? Optional.empty()
                              : Optional.of(
                                  new Answer(
                                      status,
                                      row.getString("headers"),
                                      row.getBytes("sealed_body")));
                      return new Entry(row.getString("fingerprint"), answer);
                    })
                .findOne());
  }

  /** True for the first who asks; the key is theirs until they answer or release it. */
  public boolean reserve(String orgId, String key, String fingerprint, Instant at) {
    return jdbi.withHandle(
        handle ->
            handle
                    .createUpdate(
                        "INSERT INTO idempotency"
                            + " (org_id, idempotency_key, fingerprint, created_at_ms)"
                            + " VALUES (:org, :key, :fingerprint, :at) ON CONFLICT DO NOTHING")
                    .bind("org", orgId)
                    .bind("key", key)
                    .bind("fingerprint", fingerprint)
                    .bind("at", at.toEpochMilli())
                    .execute()
                == 1);
  }

  /** The first answer stays. */
  public void answer(String orgId, String key, Answer answer) {
    jdbi.useHandle(
        handle ->
            handle
                .createUpdate(
                    "UPDATE idempotency SET status = :status, headers = :headers,"
                        + " sealed_body = :body WHERE org_id = :org AND idempotency_key = :key"
                        + " AND status IS NULL")
                .bind("status", answer.status())
                .bind("headers", answer.headers())
                .bind("body", answer.sealedBody())
                .bind("org", orgId)
                .bind("key", key)
                .execute());
  }

  /** Lets the key be used again: nothing has happened. */
  public void release(String orgId, String key) {
    jdbi.useHandle(
        handle ->
            handle.execute(
                "DELETE FROM idempotency WHERE org_id = ? AND idempotency_key = ?"
                    + " AND status IS NULL",
                orgId,
                key));
  }

  public int deleteBefore(Instant instant) {
    return jdbi.withHandle(
        handle ->
            handle.execute(
                "DELETE FROM idempotency WHERE created_at_ms < ?", instant.toEpochMilli()));
  }
}
