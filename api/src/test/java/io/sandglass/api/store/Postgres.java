package io.sandglass.api.store;

import com.codahale.metrics.MetricRegistry;
import io.dropwizard.db.DataSourceFactory;
import io.dropwizard.db.ManagedDataSource;
import java.time.Duration;
import javax.sql.DataSource;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** A PostgreSQL: the image {@code sandglass/postgres}, which {@code make images} builds. */
final class Postgres implements AutoCloseable {
  private static final int PORT = 5432;
  private static final String USER = "sandglass";
  private static final String PASSWORD = "secret-of-this-test";

  private final GenericContainer<?> container;
  private final ManagedDataSource connections;

  private Postgres(GenericContainer<?> container) {
    this.container = container;
    DataSourceFactory pool = new DataSourceFactory();
    pool.setDriverClass("org.postgresql.Driver");
    pool.setUrl(
        "jdbc:postgresql://%s:%s/%s"
            .formatted(container.getHost(), container.getMappedPort(PORT), USER));
    pool.setUser(USER);
    pool.setPassword(PASSWORD);
    connections = pool.build(new MetricRegistry(), "test");
  }

  static Postgres start() {
    GenericContainer<?> container =
        new GenericContainer<>("sandglass/postgres:0.1.0")
            .withEnv("POSTGRES_USER", USER)
            .withEnv("POSTGRES_PASSWORD", PASSWORD)
            // No test pulls the plug.
            .withCommand("run-postgres", "-c", "fsync=off")
            .withExposedPorts(PORT)
            // Once while it makes the database, for nobody outside, and then for good.
            .waitingFor(
                Wait.forLogMessage(".*ready to accept connections.*", 2)
                    .withStartupTimeout(Duration.ofMinutes(3)));
    container.start();
    return new Postgres(container);
  }

  DataSource dataSource() {
    return connections;
  }

  @Override
  public void close() {
    try {
      connections.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      container.stop();
    }
  }
}
