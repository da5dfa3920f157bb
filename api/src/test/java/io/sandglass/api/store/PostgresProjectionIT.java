package io.sandglass.api.store;

import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.postgresql.ds.PGSimpleDataSource;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** On PostgreSQL: the image {@code sandglass/postgres}, which {@code make images} builds. */
final class PostgresProjectionIT extends ProjectionContract {
  private static final int PORT = 5432;

  private static GenericContainer<?> postgres;
  private static DataSource database;

  @BeforeAll
  static void start() {
    postgres =
        new GenericContainer<>("sandglass/postgres:0.1.0")
            .withEnv("POSTGRES_USER", "sandglass")
            .withEnv("POSTGRES_PASSWORD", "secret-of-this-test")
            .withExposedPorts(PORT)
            // Once while it makes the database, for nobody outside, and then for good.
            .waitingFor(
                Wait.forLogMessage(".*ready to accept connections.*", 2)
                    .withStartupTimeout(Duration.ofMinutes(3)));
    postgres.start();
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setServerNames(new String[] {postgres.getHost()});
    source.setPortNumbers(new int[] {postgres.getMappedPort(PORT)});
    source.setDatabaseName("sandglass");
    source.setUser("sandglass");
    source.setPassword("secret-of-this-test");
    database = source;
  }

  @AfterAll
  static void stop() {
    postgres.stop();
  }

  @Override
  DataSource dataSource() {
    return database;
  }
}
