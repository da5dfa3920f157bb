package io.sandglass.examples.billing;

import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The consumer's own tables. What was read and how far it was read are written in one transaction,
 * and an interval's id is its key: whatever dies whenever, each interval is in the table once.
 */
final class Ledger implements AutoCloseable {
  private static final List<String> TABLES =
      List.of(
          """
          CREATE TABLE IF NOT EXISTS intervals (
            interval_id VARCHAR(36) PRIMARY KEY, reverses VARCHAR(36), org_id VARCHAR(64) NOT NULL,
            sandbox_id VARCHAR(64) NOT NULL, template_name VARCHAR(255) NOT NULL,
            size_name VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL,
            from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, duration_ms BIGINT NOT NULL)
          """,
          """
          CREATE TABLE IF NOT EXISTS offsets (
            partition_number INT PRIMARY KEY, next_offset BIGINT NOT NULL)
          """,
          """
          CREATE TABLE IF NOT EXISTS watermarks (
            source_partition INT PRIMARY KEY, source_partitions INT NOT NULL,
            complete_through_ms BIGINT NOT NULL)
          """);

  /**
   * A sum: what is taken back is off already.
   *
   * @param state {@code running}, {@code frozen} or {@code stopped}
   */
  record Line(String organization, String size, String state, long millis) {}

  private final Connection connection;

  private Ledger(Connection connection) {
    this.connection = connection;
  }

  static Ledger open(String url) throws SQLException {
    Connection connection = DriverManager.getConnection(url);
    try (Statement statement = connection.createStatement()) {
      for (String table : TABLES) {
        statement.execute(table);
      }
    }
    connection.setAutoCommit(false);
    return new Ledger(connection);
  }

  /** Where to go on in a partition of the topic; empty when nothing of it was read yet. */
  OptionalLong nextOffset(int partition) {
    try (PreparedStatement query =
        connection.prepareStatement("SELECT next_offset FROM offsets WHERE partition_number = ?")) {
      query.setInt(1, partition);
      try (ResultSet row = query.executeQuery()) {
        return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
      }
    } catch (SQLException e) {
      throw new IllegalStateException("The ledger can't be read", e);
    }
  }

  /** All of it or nothing. Fails when another consumer has written to this ledger meanwhile. */
  void write(UsageReader.Stretch stretch) throws SQLException {
    try {
      advance(stretch);
      insert(stretch.intervals());
      for (UsageWatermark watermark : stretch.watermarks()) {
        raise(watermark);
      }
      connection.commit();
    } catch (SQLException | RuntimeException e) {
      connection.rollback();
      throw e;
    }
  }

  /** Where the stretch does not begin where the ledger ends, the key refuses the insert. */
  private void advance(UsageReader.Stretch stretch) throws SQLException {
    if (update(
            "UPDATE offsets SET next_offset = ? WHERE partition_number = ? AND next_offset = ?",
            stretch.to(),
            stretch.partition(),
            stretch.from())
        == 0) {
      update(
          "INSERT INTO offsets (partition_number, next_offset) VALUES (?, ?)",
          stretch.partition(),
          stretch.to());
    }
  }

  /** Usage that is computed anew is told again, with the same ids. */
  private void insert(List<UsageInterval> intervals) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO intervals (interval_id, reverses, org_id, sandbox_id, template_name,"
                + " size_name, state, from_ms, to_ms, duration_ms)"
                + " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                + " WHERE NOT EXISTS (SELECT 1 FROM intervals WHERE interval_id = ?)")) {
      for (UsageInterval interval : intervals) {
        insert.setString(1, interval.getIntervalId());
        insert.setString(2, interval.getReverses());
        insert.setString(3, interval.getOrgId());
        insert.setString(4, interval.getSandboxId());
        insert.setString(5, interval.getTemplateName());
        insert.setString(6, interval.getSize().getName());
        insert.setString(7, interval.getState());
        insert.setLong(8, interval.getFrom().toEpochMilli());
        insert.setLong(9, interval.getTo().toEpochMilli());
        insert.setLong(10, interval.getDurationMs());
        insert.setString(11, interval.getIntervalId());
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  /** A computation that began anew tells times again that were passed before. */
  private void raise(UsageWatermark watermark) throws SQLException {
    if (update(
            "UPDATE watermarks SET source_partitions = ?,"
                + " complete_through_ms = GREATEST(complete_through_ms, ?)"
                + " WHERE source_partition = ?",
            watermark.getSourcePartitions(),
            watermark.getCompleteThrough().toEpochMilli(),
            watermark.getSourcePartition())
        == 0) {
      update(
          "INSERT INTO watermarks (source_partitions, complete_through_ms, source_partition)"
              + " VALUES (?, ?, ?)",
          watermark.getSourcePartitions(),
          watermark.getCompleteThrough().toEpochMilli(),
          watermark.getSourcePartition());
    }
  }

  private int update(String sql, long... values) throws SQLException {
    try (PreparedStatement update = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        update.setLong(i + 1, values[i]);
      }
      return update.executeUpdate();
    }
  }

  /** Up to when nothing will change any more; empty while that is not known. */
  Optional<Instant> completeThrough() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT MIN(complete_through_ms) FROM watermarks"
                    + " HAVING COUNT(*) = MAX(source_partitions)")) {
      return row.next() ? Optional.of(Instant.ofEpochMilli(row.getLong(1))) : Optional.empty();
    }
  }

  /** By organization, size and state. Intervals end with the hour: none is in two months. */
  List<Line> lines(Instant from, Instant to) throws SQLException {
    List<Line> lines = new ArrayList<>();
    try (PreparedStatement query =
        connection.prepareStatement(
            "SELECT org_id, size_name, state, SUM(duration_ms) FROM intervals"
                + " WHERE from_ms >= ? AND from_ms < ? GROUP BY org_id, size_name, state"
                + " ORDER BY org_id, size_name, state")) {
      query.setLong(1, from.toEpochMilli());
      query.setLong(2, to.toEpochMilli());
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          lines.add(new Line(row.getString(1), row.getString(2), row.getString(3), row.getLong(4)));
        }
      }
    }
    return lines;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
