package io.sandglass.api.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Jdbi;

/** Organizations and the keys that speak for them. */
public final class AccountStore {

  public record Organization(String id, String name, Instant createdAt) {}

  /**
   * A key without its secret.
   *
   * @param revokedAt null while it works
   */
  public record StoredKey(
      String id,
      String orgId,
      String name,
      Set<String> scopes,
      String secretHash,
      Instant createdAt,
      Instant revokedAt) {

    public StoredKey {
      scopes = Set.copyOf(scopes);
    }
  }

  private final Jdbi jdbi;

  public AccountStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** An organization that exists already stays as it is. */
  public void add(Organization organization) {
    jdbi.useHandle(
        handle ->
            handle
                .createUpdate(
                    "INSERT INTO organizations (id, name, created_at_ms) VALUES (:id, :name, :at)"
                        + " ON CONFLICT DO NOTHING")
                .bind("id", organization.id())
                .bind("name", organization.name())
                .bind("at", organization.createdAt().toEpochMilli())
                .execute());
  }

  public Optional<Organization> organization(String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM organizations WHERE id = :id")
                .bind("id", id)
                .map((row, context) -> organization(row))
                .findOne());
  }

  /** Oldest first. */
  public List<Organization> organizations() {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM organizations ORDER BY created_at_ms, id")
                .map((row, context) -> organization(row))
                .list());
  }

  public void add(StoredKey key) {
    jdbi.useHandle(
        handle ->
            handle
                .createUpdate(
                    "INSERT INTO api_keys (id, org_id, name, scopes, secret_hash, created_at_ms)"
                        + " VALUES (:id, :org, :name, :scopes, :hash, :at)")
                .bind("id", key.id())
                .bind("org", key.orgId())
                .bind("name", key.name())
                .bind("scopes", String.join(" ", key.scopes().stream().sorted().toList()))
                .bind("hash", key.secretHash())
                .bind("at", key.createdAt().toEpochMilli())
                .execute());
  }

  public Optional<StoredKey> key(String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM api_keys WHERE id = :id")
                .bind("id", id)
                .map((row, context) -> key(row))
                .findOne());
  }

  /** Oldest first, revoked ones too. */
  public List<StoredKey> keys(String orgId) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM api_keys WHERE org_id = :org ORDER BY created_at_ms, id")
                .bind("org", orgId)
                .map((row, context) -> key(row))
                .list());
  }

  /** False when the organization has no such key. The first revocation's time stays. */
  public boolean revoke(String orgId, String keyId, Instant at) {
    return jdbi.inTransaction(
        handle -> {
          handle.execute(
              "UPDATE api_keys SET revoked_at_ms = ?"
                  + " WHERE org_id = ? AND id = ? AND revoked_at_ms IS NULL",
              at.toEpochMilli(),
              orgId,
              keyId);
          return handle
              .createQuery("SELECT 1 FROM api_keys WHERE org_id = :org AND id = :id")
              .bind("org", orgId)
              .bind("id", keyId)
              .mapTo(Integer.class)
              .findOne()
              .isPresent();
        });
  }

  private static Organization organization(ResultSet row) throws SQLException {
    return new Organization(
        row.getString("id"), row.getString("name"), SandboxRow.instant(row, "created_at_ms"));
  }

  private static StoredKey key(ResultSet row) throws SQLException {
    String scopes = row.getString("scopes");
    return new StoredKey(
        row.getString("id"),
        row.getString("org_id"),
        row.getString("name"),
        scopes.isEmpty() ? Set.of() : Set.of(scopes.split(" ", -1)),
        row.getString("secret_hash"),
        SandboxRow.instant(row, "created_at_ms"),
        SandboxRow.instant(row, "revoked_at_ms"));
  }
}
