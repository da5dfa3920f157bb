package io.sandglass.api.store;

import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Sandbox.Reason;
import io.sandglass.api.domain.Sandbox.Times;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Status;
import io.sandglass.api.domain.Template;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jdbi.v3.core.statement.SqlStatement;
import org.jdbi.v3.core.statement.StatementContext;

/** A row of {@code sandboxes} or {@code sandbox_snapshots}, both ways. */
final class SandboxRow implements RowMapper<Sandbox> {
  static final String INSERT = insertInto("sandboxes");
  static final String INSERT_SNAPSHOT = insertInto("sandbox_snapshots");

  static final String UPDATE =
      """
      UPDATE sandboxes SET egress = :egress, env_sealed = :envSealed, status = :status, \
      started_at_ms = :startedAt, expires_at_ms = :expiresAt, \
      last_activity_at_ms = :lastActivityAt, suspended_at_ms = :suspendedAt, \
      destroyed_at_ms = :destroyedAt, reason = :reason, reason_detail = :reasonDetail, \
      node_id = :node, incarnation = :incarnation, version = :version \
      WHERE id = :id AND version < :version""";

  private static String insertInto(String table) {
    return """
      INSERT INTO %s (id, org_id, template_id, template_name, image, mode, size_name, \
      cpu_millis, memory_bytes, egress, timeout_ms, idle_timeout_ms, env_names, env_sealed, \
      metadata, status, created_at_ms, started_at_ms, expires_at_ms, last_activity_at_ms, \
      suspended_at_ms, destroyed_at_ms, reason, reason_detail, node_id, incarnation, version) \
      VALUES (:id, :org, :templateId, :templateName, :image, :mode, :sizeName, :cpuMillis, \
      :memoryBytes, :egress, :timeout, :idleTimeout, :envNames, :envSealed, :metadata, :status, \
      :createdAt, :startedAt, :expiresAt, :lastActivityAt, :suspendedAt, :destroyedAt, :reason, \
      :reasonDetail, :node, :incarnation, :version)"""
        .formatted(table);
  }

  static <S extends SqlStatement<S>> S bindChanging(S statement, Sandbox sandbox) {
    Times times = sandbox.times();
    Reason reason = sandbox.reason();
    return statement
        .bind("id", sandbox.id())
        .bind("egress", Json.write(sandbox.spec().egress()))
        .bind("envSealed", sandbox.spec().env().sealed())
        .bind("status", sandbox.status().text())
        .bind("startedAt", millis(times.startedAt()))
        .bind("expiresAt", millis(times.expiresAt()))
        .bind("lastActivityAt", millis(times.lastActivityAt()))
        .bind("suspendedAt", millis(times.suspendedAt()))
        .bind("destroyedAt", millis(times.destroyedAt()))
        .bind("reason", reason == null ? null : reason.code())
        .bind("reasonDetail", reason == null ? null : reason.detail())
        .bind("node", sandbox.nodeId())
        .bind("incarnation", sandbox.incarnation())
        .bind("version", sandbox.version());
  }

  static <S extends SqlStatement<S>> S bindAll(S statement, Sandbox sandbox) {
    SandboxSpec spec = sandbox.spec();
    return bindChanging(statement, sandbox)
        .bind("org", sandbox.orgId())
        .bind("templateId", spec.template().id())
        .bind("templateName", spec.template().name())
        .bind("image", spec.template().image())
        .bind("mode", spec.mode().text())
        .bind("sizeName", spec.size().name())
        .bind("cpuMillis", spec.size().cpuMillis())
        .bind("memoryBytes", spec.size().memoryBytes())
        .bind("timeout", millis(spec.timeout()))
        .bind("idleTimeout", millis(spec.idleTimeout()))
        .bind("envNames", Json.write(spec.envNames()))
        .bind("metadata", Json.write(spec.metadata()))
        .bind("createdAt", millis(sandbox.times().createdAt()));
  }

  @Override
  public Sandbox map(ResultSet row, StatementContext context) throws SQLException {
    String reason = row.getString("reason");
    return new Sandbox(
        row.getString("id"),
        row.getString("org_id"),
        new SandboxSpec(
            new Template(
                row.getString("template_id"),
                row.getString("template_name"),
                row.getString("image")),
            Mode.parse(row.getString("mode")).orElseThrow(),
            new Size(
                row.getString("size_name"), row.getInt("cpu_millis"), row.getLong("memory_bytes")),
            Json.policy(row.getString("egress")),
            duration(row, "timeout_ms"),
            duration(row, "idle_timeout_ms"),
            new SealedEnv(Json.strings(row.getString("env_names")), row.getBytes("env_sealed")),
            Json.pairs(row.getString("metadata"))),
        Status.parse(row.getString("status")).orElseThrow(),
        new Times(
            instant(row, "created_at_ms"),
            instant(row, "started_at_ms"),
            instant(row, "expires_at_ms"),
            instant(row, "last_activity_at_ms"),
            instant(row, "suspended_at_ms"),
            instant(row, "destroyed_at_ms")),
        reason == null ? null : new Reason(reason, row.getString("reason_detail")),
        row.getString("node_id"),
        row.getInt("incarnation"),
        row.getLong("version"));
  }

  static Long millis(Instant instant) {
    return instant == null ? null : instant.toEpochMilli();
  }

  private static Long millis(Duration duration) {
    return duration == null ? null : duration.toMillis();
  }

  static Instant instant(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? null : Instant.ofEpochMilli(millis);
  }

  private static Duration duration(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? null : Duration.ofMillis(millis);
  }
}
