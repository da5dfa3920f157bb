package io.sandglass.executor;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.RatioGauge;
import io.dropwizard.configuration.FileConfigurationSourceProvider;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.sandglass.executor.dataplane.AheadResource;
import io.sandglass.executor.dataplane.BuildsResource;
import io.sandglass.executor.dataplane.ExecutionResource;
import io.sandglass.executor.dataplane.FilesResource;
import io.sandglass.executor.dataplane.KeyFilter;
import io.sandglass.executor.dataplane.ProblemMapper;
import io.sandglass.executor.dataplane.StatusResource;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.docker.BuildSettings;
import io.sandglass.executor.runtime.docker.DockerImageBuilder;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.DockerSettings;
import io.sandglass.executor.runtime.docker.Walls;
import io.sandglass.executor.runtime.docker.Weakness;
import io.sandglass.executor.sandbox.Stock;
import io.sandglass.executor.sandbox.WarmPool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.text.StringSubstitutor;
import org.glassfish.jersey.server.ServerProperties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The executor of a node as a Dropwizard application. */
public final class ExecutorApplication extends Application<ExecutorConfiguration> {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorApplication.class);
  private static final String DEFAULTS = "executor.yml";

  private final Map<String, String> environment;

  /**
   * @param environment what the configuration's {@code ${NAME}} stand for
   */
  public ExecutorApplication(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * @param args {@code doctor} for its report alone; then the configuration file, without one the
   *     defaults on the class path
   */
  public static void main(String[] args) throws Exception {
    boolean examine = args.length > 0 && args[0].equals(DoctorCommand.NAME);
    int file = examine ? 1 : 0;
    new ExecutorApplication(System.getenv())
        .run(examine ? DoctorCommand.NAME : "server", args.length > file ? args[file] : DEFAULTS);
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
    bootstrap.addCommand(new DoctorCommand());
  }

  @Override
  public void run(ExecutorConfiguration configuration, Environment environment) throws Exception {
    // Given back last, after the node has stopped.
    environment.lifecycle().manage(DirectoryLock.take(Path.of(configuration.dataDirectory)));
    DockerRuntime runtime = runtime(configuration);
    for (Weakness weakness : runtime.examine()) {
      LOG.warn("weakness=\"{}\" remedy=\"{}\"", weakness.what(), weakness.remedy());
    }
    ExecutorNode node =
        new ExecutorNode(configuration, runtime, builder(configuration), InstantSource.system());
    environment.lifecycle().manage(node);

    node.healthChecks().forEach(environment.healthChecks()::register);
    register(environment.metrics(), node);

    environment.jersey().register(new KeyFilter(configuration.dataPlaneKey));
    environment.jersey().register(new ProblemMapper());
    environment.jersey().register(new StatusResource(environment.healthChecks()));
    environment.jersey().property(ServerProperties.OUTBOUND_CONTENT_LENGTH_BUFFER, 0);
    environment.jersey().register(new BuildsResource(node.buildLogs()));
    environment
        .jersey()
        .register(new FilesResource(node.executions(), node.transfers(), node::isReady));
    environment.jersey().register(new AheadResource(node.lanes(), node::isReady));
    environment
        .jersey()
        .register(
            new ExecutionResource(
                node.executions(), node.detached(), node::isReady, environment.getObjectMapper()));
  }

  static DockerRuntime runtime(ExecutorConfiguration configuration) {
    return new DockerRuntime(docker(configuration));
  }

  private static DockerSettings docker(ExecutorConfiguration configuration) {
    return new DockerSettings(
        configuration.docker.host,
        configuration.nodeId,
        NodeNetwork.name(configuration),
        Optional.of(configuration.network.subnet).filter(subnet -> !subnet.isBlank()),
        configuration.network.dns,
        configuration.docker.pidsLimit,
        configuration.docker.maxOpenFiles,
        configuration.docker.timeout.toJavaDuration(),
        Walls.of(configuration.docker.runtime, configuration.docker.seccompProfile));
  }

  private static DockerImageBuilder builder(ExecutorConfiguration configuration) {
    var builds = configuration.builds;
    if (!builds.network.equals("none")) {
      LOG.warn(
          "weakness: commands of Dockerfiles reach whatever Docker's network {} reaches",
          builds.network);
    }
    return new DockerImageBuilder(
        docker(configuration),
        new BuildSettings(
            new Limits(builds.cpuMillis, builds.memoryBytes),
            builds.network,
            configuration.docker.disk(),
            builds.timeout.toJavaDuration()));
  }

  private static void register(MetricRegistry metrics, ExecutorNode node) {
    metrics.register("executor.sandboxes", (Gauge<Integer>) () -> node.used().sandboxes());
    metrics.register("executor.memory_bytes", (Gauge<Long>) () -> node.used().memoryBytes());
    metrics.register("executor.cpu_millis", (Gauge<Integer>) () -> node.used().cpuMillis());
    metrics.register("executor.busy_lanes", (Gauge<Integer>) node::busyLanes);
    WarmPool pool = node.pool();
    metrics.register("executor.warm_pools", (Gauge<Map<String, Stock>>) pool::stock);
    metrics.register("executor.warm_claims", pool.claims());
    metrics.register("executor.warm_misses", (Gauge<Long>) pool::misses);
    metrics.register(
        "executor.warm_hit_ratio",
        (Gauge<Double>)
            () -> {
              double hits = pool.claims().getCount();
              return RatioGauge.Ratio.of(hits, hits + pool.misses()).getValue();
            });
    metrics.register("executor.networks_ready", (Gauge<Integer>) node::networksReady);
    metrics.register("executor.firewall_drifts", (Gauge<Long>) node::firewallDrifts);
  }
}
