package io.sandglass.api;

import com.codahale.metrics.MetricRegistry;
import io.dropwizard.core.cli.ConfiguredCommand;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.db.ManagedDataSource;
import io.sandglass.api.kafka.ProjectionRebuild;
import io.sandglass.api.store.ContentHash;
import io.sandglass.api.store.Database;
import io.sandglass.api.store.ProjectionStore;
import java.io.PrintStream;
import net.sourceforge.argparse4j.inf.Namespace;
import org.jdbi.v3.core.Jdbi;

/**
 * {@code rebuild-projection}: empties the tables that are folded from the log and folds it again
 * from its first event. To be run while no API process is.
 */
final class RebuildProjection extends ConfiguredCommand<ApiConfiguration> {
  private final PrintStream out;

  RebuildProjection(PrintStream out) {
    super("rebuild-projection", "Folds the projection from the log's first event again");
    this.out = out;
  }

  @Override
  protected void run(
      Bootstrap<ApiConfiguration> bootstrap, Namespace namespace, ApiConfiguration configuration)
      throws Exception {
    ManagedDataSource dataSource =
        configuration.database().build(new MetricRegistry(), "rebuild-projection");
    dataSource.start();
    try {
      Database.migrate(dataSource);
      Jdbi jdbi = Jdbi.create(dataSource);
      out.println("before " + ContentHash.of(jdbi));
      ProjectionStore store = new ProjectionStore(jdbi);
      store.clear();
      long events = ProjectionRebuild.run(configuration.kafka(), store);
      out.println("after  " + ContentHash.of(jdbi) + " (" + events + " events)");
    } finally {
      dataSource.stop();
    }
  }
}
