package io.sandglass.api.store;

import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jdbi.v3.core.statement.StatementContext;
import org.jdbi.v3.core.statement.Update;

/** A template's row. */
final class TemplateRow implements RowMapper<TemplateDefinition> {

  @Override
  public TemplateDefinition map(ResultSet row, StatementContext context) throws SQLException {
    return new TemplateDefinition(
        row.getString("id"),
        row.getString("org_id"),
        row.getString("name"),
        row.getString("revision"),
        row.getString("image"),
        Optional.ofNullable(row.getString("dockerfile")),
        row.getString("description"),
        new SealedEnv(Json.strings(row.getString("env_names")), row.getBytes("env_sealed")),
        Optional.ofNullable(row.getString("egress")).map(Json::policy),
        row.getInt("warm"),
        Instant.ofEpochMilli(row.getLong("created_at_ms")));
  }

  static Update bind(Update update, TemplateDefinition definition) {
    return update
        .bind("id", definition.id())
        .bind("org", definition.orgId())
        .bind("name", definition.name())
        .bind("revision", definition.revision())
        .bind("image", definition.image())
        .bind("dockerfile", definition.dockerfile().orElse(null))
        .bind("description", definition.description())
        .bind("env_names", Json.write(definition.env().names()))
        .bind("env_sealed", definition.env().sealed())
        .bind("egress", definition.egress().map(Json::write).orElse(null))
        .bind("warm", definition.warm())
        .bind("created_at", definition.createdAt().toEpochMilli());
  }

  static TemplateBuild build(ResultSet row, StatementContext context) throws SQLException {
    return new TemplateBuild(
        row.getString("template_id"),
        row.getString("node_id"),
        row.getString("revision"),
        TemplateBuild.State.parse(row.getString("state")).orElseThrow(),
        Optional.ofNullable(row.getString("error")),
        Instant.ofEpochMilli(row.getLong("at_ms")));
  }
}
