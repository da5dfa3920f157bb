package io.sandglass.api.store;

import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** Brings the tables into being. */
public final class Database {
  private static final String MIGRATIONS = "classpath:io/sandglass/api/store/migration";

  private Database() {}

  /** Several processes may call this at once; each finds the tables complete when it returns. */
  public static void migrate(DataSource dataSource) {
    Flyway.configure()
        .dataSource(dataSource)
        .locations(MIGRATIONS)
        .placeholders(Map.of("bytes", isH2(dataSource) ? "BINARY LARGE OBJECT" : "BYTEA"))
        .load()
        .migrate();
  }

  private static boolean isH2(DataSource dataSource) {
    try (var connection = dataSource.getConnection()) {
      return connection.getMetaData().getDatabaseProductName().equals("H2");
    } catch (SQLException e) {
      throw new IllegalStateException("The database is out of reach: " + e.getMessage(), e);
    }
  }
}
