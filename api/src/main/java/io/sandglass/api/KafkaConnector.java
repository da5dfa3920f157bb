package io.sandglass.api;

import io.dropwizard.lifecycle.setup.LifecycleEnvironment;
import io.sandglass.api.control.TemplateLog;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.kafka.KafkaCommandLog;
import io.sandglass.api.kafka.KafkaSettings;
import io.sandglass.api.kafka.KafkaTemplateLog;
import io.sandglass.api.kafka.NodesReader;
import io.sandglass.api.kafka.ProjectionReader;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.api.store.TemplateStore;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/** The log in Kafka. */
final class KafkaConnector implements LogConnector {

  private record Kafka(
      KafkaSettings settings,
      LifecycleEnvironment lifecycle,
      KafkaCommandLog commands,
      NodesReader nodes,
      ProjectionReader projection)
      implements Connection {
    @Override
    public TemplateLog templates(TemplateStore store) {
      KafkaTemplateLog templates = new KafkaTemplateLog(settings, store);
      lifecycle.manage(templates);
      return templates;
    }

    @Override
    public List<String> missing() {
      List<String> missing = new ArrayList<>();
      if (!commands.ready()) {
        missing.add("outcomes are not heard");
      }
      if (!projection.caughtUp()) {
        missing.add("the projection has not caught up");
      } else if (!projection.reading()) {
        missing.add("the projection does not move");
      }
      if (!nodes.anyReady()) {
        missing.add("no node is ready");
      }
      return missing;
    }
  }

  @Override
  public Connection connect(
      ApiConfiguration configuration,
      LifecycleEnvironment lifecycle,
      ProjectionStore store,
      ProjectionReader.Listener listener,
      InstantSource clock,
      Ids ids) {
    KafkaSettings settings = configuration.kafka();
    String instance =
        configuration.instanceId().isEmpty() ? ids.next("api_") : configuration.instanceId();
    KafkaCommandLog commands =
        new KafkaCommandLog(settings, instance, configuration.patience(), clock);
    NodesReader nodes = new NodesReader(settings);
    ProjectionReader projection =
        new ProjectionReader(settings, configuration.instanceId(), store, listener);
    List.of(commands, nodes, projection).forEach(lifecycle::manage);
    return new Kafka(settings, lifecycle, commands, nodes, projection);
  }
}
