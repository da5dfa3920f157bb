package io.sandglass.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.streams.Topology;
import org.junit.jupiter.api.Test;

/**
 * The topology's shape is a contract with the data it left behind: a renamed store loses its
 * changelog. {@code -Dsandglass.topology.write=true} writes the file anew.
 */
class TopologyDescriptionTest {
  private static final Path RESOURCES = Path.of("src/test/resources");

  @Test
  void isAsCommitted() throws IOException {
    Settings settings =
        new Settings(Rig.PATIENCE, Rig.TICK, Rig.TICK, Rig.NODE_TIMEOUT, Rig.TICK, Rig.TICK, 1);
    Ports ports =
        new Ports(
            _ -> CompletableFuture.completedFuture(OptionalLong.empty()),
            new EngineMetrics(new MetricRegistry()),
            Rig.KEY,
            () -> 0);
    assertCommitted("topology.txt", SandboxTopology.build(settings, ports, Outgoing.partitioner()));
  }

  @Test
  void ofUsageIsAsCommitted() throws IOException {
    Frontier nowhere = new KafkaFrontier(null);
    assertCommitted(
        "usage-topology.txt",
        UsageTopology.build(
            new UsageProcessor.Settings(Rig.TICK, 1),
            nowhere,
            new EngineMetrics(new MetricRegistry())));
  }

  private static void assertCommitted(String name, Topology topology) throws IOException {
    Path file = RESOURCES.resolve(name);
    String described = topology.describe().toString();
    if (Boolean.getBoolean("sandglass.topology.write")) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, described);
    }
    assertThat(described).isEqualTo(Files.readString(file));
  }
}
