package io.sandglass.api.store;

import java.time.Instant;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** The keys that open the environments of sandboxes and templates, sealed themselves. */
public final class SandboxKeyStore {
  private final Jdbi jdbi;

  public SandboxKeyStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Optional<byte[]> find(String sandboxId) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT sealed_keyset FROM sandbox_keys WHERE sandbox_id = :id")
                .bind("id", sandboxId)
                .map((row, context) -> row.getBytes(1))
                .findOne());
  }

  /** Keeps the first keyset of a sandbox. */
  public void add(String sandboxId, byte[] sealedKeyset, Instant at) {
    jdbi.useHandle(
        handle ->
            handle
                .createUpdate(
                    "INSERT INTO sandbox_keys (sandbox_id, sealed_keyset, created_at_ms)"
                        + " VALUES (:id, :keyset, :at) ON CONFLICT DO NOTHING")
                .bind("id", sandboxId)
                .bind("keyset", sealedKeyset)
                .bind("at", at.toEpochMilli())
                .execute());
  }

  public void delete(String sandboxId) {
    jdbi.useHandle(
        handle -> handle.execute("DELETE FROM sandbox_keys WHERE sandbox_id = ?", sandboxId));
  }

  /** Deletes keys whose sandbox or template never came to be. */
  public int deleteOrphansBefore(Instant instant) {
    return jdbi.withHandle(
        handle ->
            handle.execute(
                "DELETE FROM sandbox_keys WHERE created_at_ms < ?"
                    + " AND sandbox_id NOT IN (SELECT id FROM sandboxes)"
                    + " AND sandbox_id NOT IN (SELECT revision FROM templates WHERE NOT deleted)",
                instant.toEpochMilli()));
  }
}
