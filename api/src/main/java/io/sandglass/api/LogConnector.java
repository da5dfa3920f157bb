package io.sandglass.api;

import io.dropwizard.lifecycle.setup.LifecycleEnvironment;
import io.sandglass.api.control.CommandLog;
import io.sandglass.api.control.Nodes;
import io.sandglass.api.control.TemplateLog;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.kafka.ProjectionReader;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.api.store.TemplateStore;
import java.time.InstantSource;
import java.util.List;

/** Connects the API to the log: to Kafka, or in a test to what stands for it. */
interface LogConnector {

  /** What the API uses of the log. */
  interface Connection {
    CommandLog commands();

    Nodes nodes();

    /** Templates in the log, which the store shows as well. Called once, before anything starts. */
    TemplateLog templates(TemplateStore store);

    /** What readiness misses, one phrase each. */
    List<String> missing();
  }

  Connection connect(
      ApiConfiguration configuration,
      LifecycleEnvironment lifecycle,
      ProjectionStore projection,
      ProjectionReader.Listener listener,
      InstantSource clock,
      Ids ids);
}
