package io.sandglass.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * The topology's shape is a contract with the data it left behind: a renamed store loses its
 * changelog. {@code -Dsandglass.topology.write=true} writes the file anew.
 */
class TopologyDescriptionTest {
  private static final Path FILE = Path.of("src/test/resources/topology.txt");

  @Test
  void isAsCommitted() throws IOException {
    Settings settings =
        new Settings(Rig.PATIENCE, Rig.TICK, Rig.TICK, Rig.NODE_TIMEOUT, Rig.TICK, 1);
    Ports ports =
        new Ports(
            _ -> CompletableFuture.completedFuture(OptionalLong.empty()),
            new EngineMetrics(new MetricRegistry()),
            Rig.KEY,
            () -> 0);
    String described =
        SandboxTopology.build(settings, ports, Outgoing.partitioner()).describe().toString();
    if (Boolean.getBoolean("sandglass.topology.write")) {
      Files.createDirectories(FILE.getParent());
      Files.writeString(FILE, described);
    }
    assertThat(described).isEqualTo(Files.readString(FILE));
  }
}
