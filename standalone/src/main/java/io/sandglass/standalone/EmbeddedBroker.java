package io.sandglass.standalone;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * A single KRaft node, broker and controller in one, that listens on the loopback interface only
 * and keeps its log in a directory. Its ports are free ones, chosen anew at every start: who wants
 * to read the log beside this process finds the address in {@code sandglass.env}.
 */
final class EmbeddedBroker implements AutoCloseable {
  private static final int NODE_ID = 1;
  private static final String CONTROLLER = "CONTROLLER";

  /**
   * A little more than a session. A broker that was killed before it was ever known is waited for
   * in vain.
   */
  private static final Duration FENCING = Duration.ofSeconds(10);

  private static final Duration FENCING_POLL = Duration.ofMillis(20);

  private final KafkaRaftServer server;
  private final int port;

  private EmbeddedBroker(KafkaRaftServer server, int port) {
    this.server = server;
    this.port = port;
  }

  /**
   * Starts it on the log in {@code directory}, which is created and formatted when it is new.
   *
   * @throws IOException when the directory can't be written, or another process holds it
   */
  static EmbeddedBroker start(Path directory) throws IOException {
    Files.createDirectories(directory);
    int port = FreePort.next();
    int controllerPort = FreePort.next();
    boolean killed =
        Files.exists(directory.resolve("meta.properties"))
            && !Files.exists(directory.resolve(".kafka_cleanshutdown"));
    format(directory);
    if (killed) {
      endFormerLife(directory, controllerPort);
    }
    KafkaRaftServer server =
        new KafkaRaftServer(new KafkaConfig(config(directory, port, controllerPort)), Time.SYSTEM);
    server.startup();
    return new EmbeddedBroker(server, port);
  }

  /**
   * Runs the controller alone until the session of the broker that was killed has run out, so that
   * the log says that no partition has a leader.
   *
   * <p>Or else a broker that starts after a kill takes itself for the leader that it was before,
   * and finishes the transactions that were being committed; the moment its former session runs
   * out, Kafka (4.3) finds no leader for some partitions, takes them for deleted, and finishes
   * without them. They would wait for the transaction's end for ever: readers of {@code
   * sandbox.events}, and an engine that asks from where to go on.
   */
  private static void endFormerLife(Path directory, int controllerPort) throws IOException {
    Map<String, String> config = config(directory, 0, controllerPort);
    config.put("process.roles", "controller");
    config.put("listeners", CONTROLLER + "://127.0.0.1:" + controllerPort);
    KafkaRaftServer controller = new KafkaRaftServer(new KafkaConfig(config), Time.SYSTEM);
    controller.startup();
    try {
      long deadline = System.nanoTime() + FENCING.toNanos();
      while (fencedBrokers() == 0 && System.nanoTime() < deadline) {
        Thread.sleep(FENCING_POLL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while the log was prepared", e);
    } finally {
      controller.shutdown();
      controller.awaitShutdown();
    }
  }

  /** As Kafka's own metric says; none as long as the controller has not read its log. */
  private static int fencedBrokers() throws IOException {
    try {
      Object value =
          ManagementFactory.getPlatformMBeanServer()
              .getAttribute(
                  new ObjectName("kafka.controller:type=KafkaController,name=FencedBrokerCount"),
                  "Value");
      return ((Number) value).intValue();
    } catch (InstanceNotFoundException e) {
      return 0;
    } catch (JMException e) {
      throw new IOException("Kafka's controller can't be watched", e);
    }
  }

  String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  @Override
  public void close() {
    server.shutdown();
    server.awaitShutdown();
  }

  private static void format(Path directory) throws IOException {
    if (Files.exists(directory.resolve("meta.properties"))) {
      return;
    }
    try {
      new Formatter()
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .setClusterId(Uuid.randomUuid().toString())
          .setNodeId(NODE_ID)
          .setControllerListenerName(CONTROLLER)
          .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
          .addDirectory(directory.toString())
          .setMetadataLogDirectory(directory.toString())
          .run();
    } catch (Exception e) {
      throw new IOException(
          "Could not prepare the log directory " + directory + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, String> config(Path directory, int port, int controllerPort) {
    Map<String, String> config = new HashMap<>();
    config.put("process.roles", "broker,controller");
    config.put("node.id", Integer.toString(NODE_ID));
    config.put("controller.quorum.voters", NODE_ID + "@127.0.0.1:" + controllerPort);
    config.put("controller.listener.names", CONTROLLER);
    config.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:" + port + "," + CONTROLLER + "://127.0.0.1:" + controllerPort);
    config.put(
        "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
    config.put("log.dirs", directory.toString());
    config.put("auto.create.topics.enable", "false");
    config.put("num.partitions", "1");
    config.put("default.replication.factor", "1");
    config.put("offsets.topic.replication.factor", "1");
    config.put("offsets.topic.num.partitions", "4");
    config.put("transaction.state.log.replication.factor", "1");
    config.put("transaction.state.log.min.isr", "1");
    config.put("transaction.state.log.num.partitions", "4");
    config.put("share.coordinator.state.topic.replication.factor", "1");
    config.put("share.coordinator.state.topic.min.isr", "1");
    config.put("group.initial.rebalance.delay.ms", "0");
    // The default of 20 ms is waited out at nearly every commit of the engine, which commits every
    // few milliseconds.
    config.put("add.partitions.to.txn.retry.backoff.ms", "1");
    // After a kill, the session of the broker's former self has to be outwaited.
    config.put("broker.session.timeout.ms", "2500");
    config.put("broker.heartbeat.interval.ms", "500");
    config.put("log.cleaner.dedupe.buffer.size", Integer.toString(4 << 20));
    config.put("log.segment.bytes", Integer.toString(64 << 20));
    config.put("num.network.threads", "2");
    config.put("num.io.threads", "4");
    config.put("metrics.num.samples", "2");
    return config;
  }
}
