package io.sandglass.api.store;

import io.sandglass.api.domain.Scope;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jdbi.v3.core.Jdbi;

/** Organizations and the keys that speak for them. */
public final class AccountStore {

  public record Organization(String id, String name, Instant createdAt) {}

  /**
   * A key without its secret.
   *
   * @param expiresAt null for never
   * @param revokedAt null when it was not
   * @param lastUsedAt to the minute; null when it never was
   */
  public record StoredKey(
      String id,
      String orgId,
      String name,
      Set<Scope> scopes,
      String secretHash,
      Instant createdAt,
      Instant expiresAt,
      Instant revokedAt,
      Instant lastUsedAt) {

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
                    "INSERT INTO api_keys"
                        + " (id, org_id, name, scopes, secret_hash, created_at_ms, expires_at_ms)"
                        + " VALUES (:id, :org, :name, :scopes, :hash, :at, :expires)")
                .bind("id", key.id())
                .bind("org", key.orgId())
                .bind("name", key.name())
                .bind(
                    "scopes",
                    key.scopes().stream()
                        .map(Scope::text)
                        .sorted()
                        .collect(Collectors.joining(" ")))
                .bind("hash", key.secretHash())
                .bind("at", key.createdAt().toEpochMilli())
                .bind("expires", key.expiresAt() == null ? null : key.expiresAt().toEpochMilli())
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

  /** Notes a use, unless one after {@code since} is noted already. */
  public void used(String keyId, Instant at, Instant since) {
    jdbi.useHandle(
        handle ->
            handle.execute(
                "UPDATE api_keys SET last_used_at_ms = ?"
                    + " WHERE id = ? AND (last_used_at_ms IS NULL OR last_used_at_ms <= ?)",
                at.toEpochMilli(),
                keyId,
                since.toEpochMilli()));
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
        Stream.of(scopes.split(" ", -1))
            .map(Scope::parse)
            .flatMap(Optional::stream)
            .collect(Collectors.toSet()),
        row.getString("secret_hash"),
        SandboxRow.instant(row, "created_at_ms"),
        SandboxRow.instant(row, "expires_at_ms"),
        SandboxRow.instant(row, "revoked_at_ms"),
        SandboxRow.instant(row, "last_used_at_ms"));
  }
}
