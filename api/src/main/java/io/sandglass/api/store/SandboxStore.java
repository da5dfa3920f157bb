package io.sandglass.api.store;

import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;

/** The sandboxes as the projection has them. */
public final class SandboxStore {

  /**
   * Which sandboxes, newest first.
   *
   * @param statuses any of these
   * @param metadata all of these
   * @param template by name or id; null for any
   * @param after only those older than this one; null from the newest on
   */
  public record Listing(
      String orgId,
      Set<Status> statuses,
      Map<String, String> metadata,
      String template,
      Position after,
      int limit) {}

  /** A sandbox's place in the order of lists. */
  public record Position(Instant createdAt, String id) {}

  private final Jdbi jdbi;

  public SandboxStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  public Optional<Sandbox> find(String id) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery("SELECT * FROM sandboxes WHERE id = :id")
                .bind("id", id)
                .map(new SandboxRow())
                .findOne());
  }

  /** One more than the limit when there are more. */
  public List<Sandbox> list(Listing listing) {
    StringBuilder sql =
        new StringBuilder("SELECT * FROM sandboxes WHERE org_id = :org AND status IN (<statuses>)");
    List<String> hashes = new ArrayList<>();
    listing.metadata().forEach((name, content) -> hashes.add(Ids.digest(name, content)));
    for (int i = 0; i < hashes.size(); i++) {
      sql.append(" AND EXISTS (SELECT 1 FROM sandbox_metadata m WHERE m.sandbox_id = sandboxes.id")
          .append(" AND m.pair_hash = :pair")
          .append(i)
          .append(")");
    }
    if (listing.template() != null) {
      sql.append(" AND (template_name = :template OR template_id = :template)");
    }
    if (listing.after() != null) {
      sql.append(" AND (created_at_ms < :time OR (created_at_ms = :time AND id < :id))");
    }
    sql.append(" ORDER BY created_at_ms DESC, id DESC LIMIT :limit");
    return jdbi.withHandle(
        handle -> {
          Query query =
              handle
                  .createQuery(sql.toString())
                  .bind("org", listing.orgId())
                  .bindList(
                      "statuses", listing.statuses().stream().map(Status::text).sorted().toList())
                  .bind("limit", listing.limit() + 1);
          for (int i = 0; i < hashes.size(); i++) {
            query.bind("pair" + i, hashes.get(i));
          }
          if (listing.template() != null) {
            query.bind("template", listing.template());
          }
          if (listing.after() != null) {
            query
                .bind("time", listing.after().createdAt().toEpochMilli())
                .bind("id", listing.after().id());
          }
          return query.map(new SandboxRow()).list();
        });
  }
}
