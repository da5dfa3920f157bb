package io.sandglass.api.store;

import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Update;

/**
 * The templates of organizations, folded from the log.
 *
 * <p>Who defines or deletes one appends to the log while holding the template's row, so the row
 * shows the change before anybody is told of it, and of two that define the same name one finds the
 * other's.
 */
public final class TemplateStore {
  private static final long NOT_YET = -1;

  private final Jdbi jdbi;

  public TemplateStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** By name. */
  public List<TemplateDefinition> list(String orgId) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM templates WHERE org_id = :org AND NOT deleted ORDER BY name")
                .bind("org", orgId)
                .map(new TemplateRow())
                .list());
  }

  /** All organizations' that ask for containers to be kept ready. */
  public List<TemplateDefinition> warm() {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM templates WHERE warm > 0 AND NOT deleted ORDER BY org_id, name")
                .map(new TemplateRow())
                .list());
  }

  public Optional<TemplateDefinition> find(String orgId, String nameOrId) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM templates WHERE org_id = :org AND NOT deleted"
                        + " AND (name = :key OR id = :key)")
                .bind("org", orgId)
                .bind("key", nameOrId)
                .map(new TemplateRow())
                .findOne());
  }

  /** The builds of its current revision, the newest first. */
  public List<TemplateBuild> builds(TemplateDefinition definition) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT * FROM template_builds WHERE template_id = :id"
                        + " AND revision = :revision ORDER BY at_ms DESC, node_id")
                .bind("id", definition.id())
                .bind("revision", definition.revision())
                .map(TemplateRow::build)
                .list());
  }

  /**
   * Defines a template unless there is one.
   *
   * @param append puts it into the log; when that throws, nothing has changed here
   * @return the one that was there before, and stays
   */
  public Optional<TemplateDefinition> define(TemplateDefinition definition, LongSupplier append) {
    return jdbi.inTransaction(
        handle -> {
          insert(handle, definition, NOT_YET);
          Optional<TemplateDefinition> there =
              handle
                  .createQuery(
                      "SELECT * FROM templates WHERE id = :id AND NOT deleted"
                          + " AND log_offset > :not_yet FOR UPDATE")
                  .bind("id", definition.id())
                  .bind("not_yet", NOT_YET)
                  .map(new TemplateRow())
                  .findOne();
          if (there.isEmpty()) {
            update(handle, definition, append.getAsLong());
          }
          return there;
        });
  }

  /**
   * Deletes a template.
   *
   * @return what was deleted; empty when there was none
   */
  public Optional<TemplateDefinition> delete(String orgId, String id, LongSupplier append) {
    return jdbi.inTransaction(
        handle -> {
          Optional<TemplateDefinition> there =
              handle
                  .createQuery(
                      "SELECT * FROM templates WHERE id = :id AND org_id = :org AND NOT deleted"
                          + " FOR UPDATE")
                  .bind("id", id)
                  .bind("org", orgId)
                  .map(new TemplateRow())
                  .findOne();
          there.ifPresent(gone -> empty(handle, id, append.getAsLong()));
          return there;
        });
  }

  /** From the log. */
  public void defined(TemplateDefinition definition, long offset) {
    jdbi.useTransaction(
        handle -> {
          if (update(handle, definition, offset) == 0) {
            insert(handle, definition, offset);
          }
        });
  }

  /** From the log. */
  public void deleted(String id, long offset) {
    jdbi.useHandle(handle -> empty(handle, id, offset));
  }

  /** From the log. */
  public void built(TemplateBuild build, long offset) {
    jdbi.useTransaction(
        handle -> {
          int updated =
              bind(
                      handle.createUpdate(
                          "UPDATE template_builds SET revision = :revision, state = :state,"
                              + " error = :error, at_ms = :at, log_offset = :offset"
                              + " WHERE template_id = :id AND node_id = :node"
                              + " AND log_offset < :offset"),
                      build,
                      offset)
                  .execute();
          if (updated == 0) {
            bind(
                    handle.createUpdate(
                        "INSERT INTO template_builds"
                            + " (template_id, node_id, revision, state, error, at_ms, log_offset)"
                            + " VALUES (:id, :node, :revision, :state, :error, :at, :offset)"
                            + " ON CONFLICT DO NOTHING"),
                    build,
                    offset)
                .execute();
          }
        });
  }

  /** From the log. */
  public void forgotten(String templateId, String nodeId, long offset) {
    jdbi.useHandle(
        handle ->
            handle.execute(
                "DELETE FROM template_builds"
                    + " WHERE template_id = ? AND node_id = ? AND log_offset < ?",
                templateId,
                nodeId,
                offset));
  }

  private static Update bind(Update update, TemplateBuild build, long offset) {
    return update
        .bind("id", build.templateId())
        .bind("node", build.nodeId())
        .bind("revision", build.revision())
        .bind("state", build.state().text())
        .bind("error", build.error().orElse(null))
        .bind("at", build.at().toEpochMilli())
        .bind("offset", offset);
  }

  private static void insert(Handle handle, TemplateDefinition definition, long offset) {
    TemplateRow.bind(
            handle.createUpdate(
                "INSERT INTO templates (id, org_id, name, revision, image, dockerfile, description,"
                    + " env_names, env_sealed, egress, warm, created_at_ms, deleted, log_offset)"
                    + " VALUES (:id, :org, :name, :revision, :image, :dockerfile, :description,"
                    + " :env_names, :env_sealed, :egress, :warm, :created_at, FALSE, :offset)"
                    + " ON CONFLICT DO NOTHING"),
            definition)
        .bind("offset", offset)
        .execute();
  }

  private static int update(Handle handle, TemplateDefinition definition, long offset) {
    return TemplateRow.bind(
            handle.createUpdate(
                "UPDATE templates SET org_id = :org, name = :name, revision = :revision,"
                    + " image = :image, dockerfile = :dockerfile, description = :description,"
                    + " env_names = :env_names, env_sealed = :env_sealed, egress = :egress,"
                    + " warm = :warm, created_at_ms = :created_at, deleted = FALSE,"
                    + " log_offset = :offset WHERE id = :id AND log_offset < :offset"),
            definition)
        .bind("offset", offset)
        .execute();
  }

  private static void empty(Handle handle, String id, long offset) {
    handle
        .createUpdate(
            "UPDATE templates SET deleted = TRUE, dockerfile = NULL, env_sealed = NULL,"
                + " log_offset = :offset WHERE id = :id AND log_offset < :offset")
        .bind("id", id)
        .bind("offset", offset)
        .execute();
  }
}
