package io.sandglass.api;

import com.codahale.metrics.MetricRegistry;
import io.dropwizard.core.cli.ConfiguredCommand;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.db.ManagedDataSource;
import io.sandglass.api.kafka.ProjectionReader;
import io.sandglass.api.kafka.ProjectionRebuild;
import io.sandglass.api.store.Database;
import io.sandglass.api.store.ProjectionCheck;
import io.sandglass.api.store.ProjectionStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.sourceforge.argparse4j.inf.Namespace;
import org.h2.jdbcx.JdbcDataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.transaction.TransactionIsolationLevel;

/**
 * {@code verify-projection}: folds the log into a database of its own, up to where the projection
 * is, and tells every row that differs. API processes may be at work meanwhile, where the database
 * lets another process in. Ends with 0, with 1 when something differs, with 2 when it can't tell.
 */
final class VerifyProjection extends ConfiguredCommand<ApiConfiguration> {
  private final PrintStream out;
  private final IntConsumer exit;

  VerifyProjection(PrintStream out, IntConsumer exit) {
    super("verify-projection", "Compares the projection with the log, row by row");
    this.out = out;
    this.exit = exit;
  }

  @Override
  protected void run(
      Bootstrap<ApiConfiguration> bootstrap, Namespace namespace, ApiConfiguration configuration) {
    exit.accept(run(configuration));
  }

  private int run(ApiConfiguration configuration) {
    try {
      ManagedDataSource dataSource =
          configuration.database().build(new MetricRegistry(), "verify-projection");
      dataSource.start();
      try {
        return Jdbi.create(dataSource)
            .inTransaction(
                TransactionIsolationLevel.REPEATABLE_READ,
                projection -> compare(configuration, projection));
      } finally {
        dataSource.stop();
      }
    } catch (Exception e) {
      System.err.println("verify-projection can't run: " + e.getMessage());
      return 2;
    }
  }

  private int compare(ApiConfiguration configuration, Handle projection) throws IOException {
    Map<String, Map<Integer, Long>> offsets =
        Stream.of(ProjectionReader.EVENTS, ProjectionReader.USAGE)
            .collect(
                Collectors.toMap(
                    topic -> topic, topic -> ProjectionStore.offsets(projection, topic)));
    Path scratch = Files.createTempDirectory("verify-projection");
    try {
      JdbcDataSource beside = new JdbcDataSource();
      beside.setURL(
          "jdbc:h2:file:%s/folded;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;DEFAULT_NULL_ORDERING=HIGH"
              .formatted(scratch));
      Database.migrate(beside);
      Jdbi folded = Jdbi.create(beside);
      long events =
          ProjectionRebuild.run(configuration.kafka(), new ProjectionStore(folded), offsets);
      long[] differences = {0};
      long rows =
          folded.withHandle(
              fresh ->
                  ProjectionCheck.compare(
                      projection,
                      fresh,
                      difference -> {
                        differences[0]++;
                        out.println(difference);
                      }));
      System.err.printf(
          "verify-projection: %d records, %d rows; %d differences%n", events, rows, differences[0]);
      return differences[0] == 0 ? 0 : 1;
    } finally {
      com.google.common.io.MoreFiles.deleteRecursively(
          scratch, com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
    }
  }
}
