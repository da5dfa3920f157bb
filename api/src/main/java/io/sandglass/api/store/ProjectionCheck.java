package io.sandglass.api.store;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;

/**
 * Compares the rows of a projection with those of one that was folded afresh, and uses the latter
 * up: what is left of it at the end is missing in the former.
 */
public final class ProjectionCheck {
  private static final int FETCH = 1000;

  private ProjectionCheck() {}

  /**
   * Tells every difference.
   *
   * @param actual in one transaction, at the offsets that {@code expected} was folded up to
   * @return how many rows were compared
   */
  public static long compare(Handle actual, Handle expected, Consumer<String> difference) {
    long rows = 0;
    for (ProjectedTable table : ProjectedTable.ALL) {
      long[] compared = {0};
      actual
          .createQuery("SELECT * FROM " + table.name())
          .setFetchSize(FETCH)
          .map((row, context) -> columns(row))
          .forEach(
              row -> {
                compared[0]++;
                compare(table, row, expected, difference);
              });
      expected
          .createQuery("SELECT * FROM " + table.name())
          .map((row, context) -> columns(row))
          .forEach(row -> difference.accept(name(table, row) + ": the row is missing"));
      rows += compared[0];
    }
    return rows;
  }

  private static void compare(
      ProjectedTable table, Map<String, String> row, Handle expected, Consumer<String> difference) {
    Map<String, String> key =
        table.key().stream().collect(Collectors.toMap(column -> column, row::get));
    var found =
        expected
            .createQuery("SELECT * FROM " + table.name() + " WHERE " + where(table))
            .bindMap(key)
            .map((other, context) -> columns(other))
            .findOne();
    if (found.isEmpty()) {
      difference.accept(name(table, row) + ": no event tells of this row");
      return;
    }
    found
        .get()
        .forEach(
            (column, content) -> {
              if (!Objects.equals(content, row.get(column))) {
                difference.accept(
                    "%s: %s is %s, but the log says %s"
                        .formatted(name(table, row), column, row.get(column), content));
              }
            });
    expected
        .createUpdate("DELETE FROM " + table.name() + " WHERE " + where(table))
        .bindMap(key)
        .execute();
  }

  private static String where(ProjectedTable table) {
    return table.key().stream()
        .map(column -> column + " = :" + column)
        .collect(Collectors.joining(" AND "));
  }

  private static String name(ProjectedTable table, Map<String, String> row) {
    return "projection "
        + table.name()
        + table.key().stream()
            .map(column -> " " + column + "=" + row.get(column))
            .collect(Collectors.joining());
  }

  /** The same text for the same content on every database. */
  private static Map<String, String> columns(ResultSet row) throws SQLException {
    ResultSetMetaData types = row.getMetaData();
    Map<String, String> columns = new LinkedHashMap<>();
    for (int i = 1; i <= types.getColumnCount(); i++) {
      columns.put(types.getColumnLabel(i).toLowerCase(Locale.ROOT), text(row, i, types));
    }
    return columns;
  }

  private static String text(ResultSet row, int column, ResultSetMetaData types)
      throws SQLException {
    return switch (types.getColumnType(column)) {
      case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB -> {
        byte[] bytes = row.getBytes(column);
        yield bytes == null ? null : HexFormat.of().formatHex(bytes);
      }
      case Types.BOOLEAN, Types.BIT -> {
        boolean is = row.getBoolean(column);
        yield row.wasNull() ? null : Boolean.toString(is);
      }
      default -> row.getString(column);
    };
  }
}
