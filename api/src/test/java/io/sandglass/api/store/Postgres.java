package io.sandglass.api.store;

import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** A PostgreSQL: the image {@code sandglass/postgres}, which {@code make images} builds. */
final class Postgres implements AutoCloseable {
  private static final int PORT = 5432;

  private final GenericContainer<?> container;
  private final PGSimpleDataSource source = new PGSimpleDataSource();

  private Postgres(GenericContainer<?> container) {
    this.container = container;
    source.setServerNames(new String[] {container.getHost()});
    source.setPortNumbers(new int[] {container.getMappedPort(PORT)});
    source.setDatabaseName("sandglass");
    source.setUser("sandglass");
    source.setPassword("secret-of-this-test");
  }

  static Postgres start() {
    GenericContainer<?> container =
        new GenericContainer<>("sandglass/postgres:0.1.0")
            .withEnv("POSTGRES_USER", "sandglass")
            .withEnv("POSTGRES_PASSWORD", "secret-of-this-test")
            .withExposedPorts(PORT)
            // Once while it makes the database, for nobody outside, and then for good.
            .waitingFor(
                Wait.forLogMessage(".*ready to accept connections.*", 2)
                    .withStartupTimeout(Duration.ofMinutes(3)));
    container.start();
    return new Postgres(container);
  }

  DataSource dataSource() {
    return source;
  }

  @Override
  public void close() {
    container.stop();
  }
}
