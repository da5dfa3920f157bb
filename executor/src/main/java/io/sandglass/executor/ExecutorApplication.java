package io.sandglass.executor;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.dropwizard.configuration.FileConfigurationSourceProvider;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.sandglass.executor.dataplane.ExecutionResource;
import io.sandglass.executor.dataplane.KeyFilter;
import io.sandglass.executor.dataplane.ProblemMapper;
import io.sandglass.executor.dataplane.StatusResource;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.DockerSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.apache.commons.text.StringSubstitutor;
import org.glassfish.jersey.server.ServerProperties;

/** The executor of a node as a Dropwizard application. */
public final class ExecutorApplication extends Application<ExecutorConfiguration> {
  private static final String DEFAULTS = "executor.yml";

  private final Map<String, String> environment;

  /**
   * @param environment what the configuration's {@code ${NAME}} stand for
   */
  public ExecutorApplication(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * @param args the configuration file; without one, the defaults on the class path
   */
  public static void main(String[] args) throws Exception {
    new ExecutorApplication(System.getenv()).run("server", args.length > 0 ? args[0] : DEFAULTS);
  }

  @Override
  public String getName() {
    return "sandglass-executor";
  }

  @Override
  public void initialize(Bootstrap<ExecutorConfiguration> bootstrap) {
    var files = new FileConfigurationSourceProvider();
    var resources = new ResourceConfigurationSourceProvider();
    StringSubstitutor substitutor = new StringSubstitutor(environment);
    substitutor.setEnableSubstitutionInVariables(true);
    bootstrap.setConfigurationSourceProvider(
        new SubstitutingSourceProvider(
            path -> Files.exists(Path.of(path)) ? files.open(path) : resources.open(path),
            substitutor));
  }

  @Override
  public void run(ExecutorConfiguration configuration, Environment environment) throws Exception {
    DockerRuntime runtime =
        new DockerRuntime(
            new DockerSettings(
                configuration.docker.host,
                configuration.nodeId,
                configuration.docker.network,
                configuration.docker.dns,
                configuration.docker.pidsLimit,
                configuration.docker.maxOpenFiles,
                configuration.docker.timeout.toJavaDuration()));
    ExecutorNode node = new ExecutorNode(configuration, runtime, InstantSource.system());
    environment.lifecycle().manage(node);

    node.healthChecks().forEach(environment.healthChecks()::register);
    register(environment.metrics(), node);

    environment.jersey().register(new KeyFilter(configuration.dataPlaneKey));
    environment.jersey().register(new ProblemMapper());
    environment.jersey().register(new StatusResource(environment.healthChecks()));
    environment.jersey().property(ServerProperties.OUTBOUND_CONTENT_LENGTH_BUFFER, 0);
    environment
        .jersey()
        .register(
            new ExecutionResource(node.executions(), node::isReady, environment.getObjectMapper()));
  }

  private static void register(MetricRegistry metrics, ExecutorNode node) {
    metrics.register("executor.sandboxes", (Gauge<Integer>) () -> node.used().sandboxes());
    metrics.register("executor.memory_bytes", (Gauge<Long>) () -> node.used().memoryBytes());
    metrics.register("executor.cpu_millis", (Gauge<Integer>) () -> node.used().cpuMillis());
    metrics.register("executor.busy_lanes", (Gauge<Integer>) node::busyLanes);
  }
}
