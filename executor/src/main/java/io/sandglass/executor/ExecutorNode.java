package io.sandglass.executor;

import com.codahale.metrics.health.HealthCheck;
import io.dropwizard.lifecycle.Managed;
import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.execution.RecentExecutions;
import io.sandglass.executor.kafka.Clients;
import io.sandglass.executor.kafka.Heartbeats;
import io.sandglass.executor.kafka.KafkaBuildReports;
import io.sandglass.executor.kafka.KafkaReports;
import io.sandglass.executor.kafka.OrderLoop;
import io.sandglass.executor.kafka.TemplateReader;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.RuntimeHost;
import io.sandglass.executor.runtime.docker.DockerImageBuilder;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.sandbox.Capacity;
import io.sandglass.executor.sandbox.Detached;
import io.sandglass.executor.sandbox.DiskWatch;
import io.sandglass.executor.sandbox.EgressControl;
import io.sandglass.executor.sandbox.Executions;
import io.sandglass.executor.sandbox.Lanes;
import io.sandglass.executor.sandbox.LifeDirectories;
import io.sandglass.executor.sandbox.MemoryWatch;
import io.sandglass.executor.sandbox.Networks;
import io.sandglass.executor.sandbox.Node;
import io.sandglass.executor.sandbox.NodeSettings;
import io.sandglass.executor.sandbox.Order;
import io.sandglass.executor.sandbox.Relist;
import io.sandglass.executor.sandbox.Residents;
import io.sandglass.executor.sandbox.Transfers;
import io.sandglass.executor.sandbox.WarmPool;
import io.sandglass.executor.template.BuildLogs;
import io.sandglass.executor.template.Builds;
import io.sandglass.executor.template.Templates;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts of a node, wired; started and stopped in order. */
final class ExecutorNode implements Managed {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorNode.class);
  private static final Duration IMAGES_REST = Duration.ofSeconds(3);
  private static final Duration BUILDS_REST = Duration.ofSeconds(5);
  private static final Duration FIRST_LOOK = Duration.ofSeconds(10);
  private static final Duration CLOSING = Duration.ofSeconds(5);

  private final ExecutorConfiguration configuration;
  private final DockerRuntime runtime;
  private final InstantSource clock;
  private final RuntimeHost host;
  private final Residents residents = new Residents();
  private final Producer<String, SpecificRecord> producer;
  private final Networks networks;
  private final EgressControl egress;
  private final Node node;
  private final Executions executions;
  private final Detached detached;
  private final Transfers transfers;
  private final OrderLoop orders;
  private final DiskWatch diskWatch;
  private final MemoryWatch memoryWatch;
  private final Heartbeats heartbeats;
  private final ImageList images;
  private final DockerImageBuilder builder;
  private final BuildLogs buildLogs;
  private final Builds builds;
  private final TemplateReader templates;
  private AutoCloseable subscription = () -> {};

  /**
   * @throws io.sandglass.executor.runtime.RuntimeUnavailableException when the container runtime
   *     does not answer: without it there is no node
   * @throws io.sandglass.executor.runtime.RuntimeRefusedException when this host can't keep
   *     sandboxes apart
   */
  ExecutorNode(
      ExecutorConfiguration configuration,
      DockerRuntime runtime,
      DockerImageBuilder builder,
      InstantSource clock)
      throws IOException {
    this.configuration = configuration;
    this.runtime = runtime;
    this.clock = clock;
    this.host = runtime.host();
    Capacity capacity = NodeCapacity.of(configuration.capacity, host);
    LOG.info("node={} runtime=\"{}\" {}", configuration.nodeId, host.version(), capacity);

    Path data = Path.of(configuration.dataDirectory).toAbsolutePath();
    var channels = EndpointChannels.in(data, configuration.executions.overtime.toJavaDuration());
    var directories = new LifeDirectories(data);
    NodeNetwork network = NodeNetwork.of(configuration, runtime, clock);
    this.networks = network.networks();
    this.egress = new EgressControl(runtime, network.firewall(), networks, directories);
    this.producer = Clients.producer(configuration.kafka.settings(), configuration.nodeId);
    var reports = new KafkaReports(producer, configuration.nodeId, clock);
    this.executions =
        new Executions(
            residents,
            directories,
            reports,
            new RecentExecutions(configuration.executions.memory.toJavaDuration(), clock),
            new Executions.Limits(
                configuration.executions.perSandbox, configuration.executions.outputBytes));
    this.detached =
        new Detached(
            executions,
            residents,
            directories,
            configuration.executions.overtime.toJavaDuration(),
            clock);
    this.node =
        new Node(
            runtime,
            directories,
            channels,
            residents,
            egress,
            reports,
            settings(configuration, capacity, host),
            rhythm(configuration.work),
            clock,
            detached);
    this.transfers = new Transfers(executions, configuration.executions.transfersAtOnce);
    this.orders =
        new OrderLoop(
            () -> Clients.consumer(configuration.kafka.settings(), configuration.nodeId),
            configuration.nodeId,
            recipient(),
            configuration.work.ordersInFlight);
    this.diskWatch =
        new DiskWatch(
            runtime,
            directories,
            residents,
            configuration.docker.disk(),
            configuration.work.diskInterval.toJavaDuration(),
            clock);
    this.memoryWatch =
        new MemoryWatch(
            residents,
            new MemoryReserve(
                capacity,
                residents::used,
                configuration.capacity.memoryReservePercent,
                Path.of("/proc/meminfo")),
            reports,
            configuration.work.memoryInterval.toJavaDuration(),
            clock);
    this.images = new ImageList(runtime, IMAGES_REST);
    this.heartbeats =
        new Heartbeats(
            producer,
            new Heartbeats.Speaker(
                configuration.nodeId,
                UUID.randomUUID().toString(),
                configuration.advertisedUrl,
                configuration.labels),
            () -> capacity,
            residents::used,
            images::get,
            node.pool()::stock,
            configuration.heartbeatInterval.toJavaDuration(),
            clock);
    this.builder = builder;
    this.buildLogs = new BuildLogs(data);
    this.builds =
        new Builds(
            builder,
            buildLogs,
            new KafkaBuildReports(producer, configuration.nodeId, clock),
            BUILDS_REST);
    this.templates =
        new TemplateReader(
            () -> Clients.templates(configuration.kafka.settings(), configuration.nodeId),
            configuration.nodeId,
            List.of(builds::take, this::keepReady));
  }

  private static NodeSettings settings(
      ExecutorConfiguration configuration, Capacity capacity, RuntimeHost host) {
    var work = configuration.work;
    return new NodeSettings(
        configuration.nodeId,
        capacity,
        new Limits(configuration.pool.cpuMillis, configuration.pool.memoryBytes),
        work.creators > 0 ? work.creators : 2 * host.cpus(),
        work.startAttempts,
        work.guestPatience.toJavaDuration(),
        work.stopGrace.toJavaDuration(),
        Duration.ofMillis(100),
        Duration.ofSeconds(5));
  }

  private static Relist.Rhythm rhythm(ExecutorConfiguration.WorkSection work) {
    return new Relist.Rhythm(
        work.relistInterval.toJavaDuration(),
        work.askAfterStart.toJavaDuration(),
        work.askInterval.toJavaDuration());
  }

  /** What is configured, and what the templates ask for. */
  private void keepReady(Templates all) {
    Map<String, Integer> images = new HashMap<>(configuration.pool.images);
    all.defined()
        .forEach(template -> images.merge(template.image(), template.warm(), Integer::sum));
    node.pool().keep(images);
    node.relist().hint();
  }

  private OrderLoop.Recipient recipient() {
    return new OrderLoop.Recipient() {
      @Override
      public void receive(Order order, Runnable done) {
        node.lanes().submit(order, done);
      }

      @Override
      public void tellAnew() {
        node.relist().askAboutAll();
      }
    };
  }

  @Override
  public void start() throws Exception {
    subscription =
        runtime.subscribe(
            () -> {
              images.hint();
              node.relist().hint();
            });
    node.relist().start();
    heartbeats.start();
    try {
      // So that the first caller finds what was here before.
      node.relist().first().get(FIRST_LOOK.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn("The container runtime has not told yet what is here; the data plane waits for it");
    }
    orders.start();
    networks.start();
    diskWatch.start();
    builds.start();
    templates.start();
    memoryWatch.start();
  }

  @Override
  public void stop() throws Exception {
    templates.stop();
    builds.stop();
    diskWatch.stop();
    memoryWatch.stop();
    heartbeats.stop();
    node.lanes().close();
    node.pool().close();
    networks.stop();
    orders.stop();
    node.relist().stop();
    executions.close();
    subscription.close();
    producer.close(CLOSING);
    residents.disconnectAll();
    builder.close();
    runtime.close();
  }

  BuildLogs buildLogs() {
    return buildLogs;
  }

  Detached detached() {
    return detached;
  }

  Executions executions() {
    return executions;
  }

  Lanes lanes() {
    return node.lanes();
  }

  Transfers transfers() {
    return transfers;
  }

  boolean isReady() {
    return node.relist().first().isDone();
  }

  Capacity used() {
    return residents.used();
  }

  WarmPool pool() {
    return node.pool();
  }

  int networksReady() {
    return networks.ready();
  }

  long firewallDrifts() {
    return egress.drifts();
  }

  int busyLanes() {
    return node.lanes().busy();
  }

  Map<String, HealthCheck> healthChecks() {
    Duration relist = configuration.work.relistInterval.toJavaDuration().multipliedBy(5);
    Duration beat = configuration.heartbeatInterval.toJavaDuration().multipliedBy(5);
    return Map.of(
        "docker", new RuntimeCheck(runtime),
        "relist", new AgeCheck("relist", node.relist()::lastGood, relist, clock),
        "kafka", new AgeCheck("heartbeat", heartbeats::lastAcknowledged, beat, clock));
  }
}
