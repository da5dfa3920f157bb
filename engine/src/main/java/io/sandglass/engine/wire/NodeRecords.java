package io.sandglass.engine.wire;

import io.sandglass.engine.fleet.Heartbeat;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.fleet.Resources;
import io.sandglass.engine.fleet.WarmStock;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.Pulse;
import io.sandglass.schemas.WireFormat;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;

/** Reads and writes what is said of nodes. */
public final class NodeRecords {
  private static final Pattern NODE_ID = Pattern.compile("[a-z0-9-]{1,63}");

  private NodeRecords() {}

  /** A record of {@code sandbox.heartbeats}, told apart. */
  public sealed interface Beat {

    record Heard(Heartbeat heartbeat) implements Beat {}

    /** The engine's own. */
    record Pulsed(Instant at) implements Beat {}

    record Unreadable(String reason) implements Beat {}
  }

  /** Never throws for any content of {@code value}. */
  public static Beat readBeat(byte[] value) {
    if (value == null) {
      return new Beat.Unreadable("no value");
    }
    try {
      return switch (WireFormat.decode(value)) {
        case Decoded.Known(NodeHeartbeat heartbeat) -> new Beat.Heard(read(heartbeat));
        case Decoded.Known(Pulse pulse) -> new Beat.Pulsed(pulse.getAt());
        case Decoded.Known(SpecificRecord other) ->
            new Beat.Unreadable("not a heartbeat: " + other.getSchema().getName());
        case Decoded.Unknown(long fingerprint) ->
            new Beat.Unreadable("unknown schema %016x".formatted(fingerprint));
        case Decoded.Malformed(String reason) -> new Beat.Unreadable(reason);
      };
    } catch (UnreadableException e) {
      return new Beat.Unreadable("NodeHeartbeat: " + e.getMessage());
    }
  }

  /**
   * The node of a record of {@code sandbox.nodes}.
   *
   * @throws UnreadableException when it is no status this release understands
   */
  public static Node readNode(byte[] value) {
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(NodeStatus status) ->
          new Node(
              status.getSlot(),
              Codes.read(Node.State.class, status.getState()),
              status.getEpoch(),
              read(status.getHeartbeat()));
      case Decoded.Known(SpecificRecord other) ->
          throw new UnreadableException("not a node status: " + other.getSchema().getName());
      case Decoded.Unknown(long fingerprint) ->
          throw new UnreadableException("unknown schema %016x".formatted(fingerprint));
      case Decoded.Malformed(String reason) -> throw new UnreadableException(reason);
    };
  }

  public static SpecificRecord write(Node node) {
    return new NodeStatus(
        node.id(), node.slot(), Codes.of(node.state()), node.epoch(), write(node.heartbeat()));
  }

  public static SpecificRecord pulse(Instant at) {
    return new Pulse(at);
  }

  private static NodeHeartbeat write(Heartbeat heartbeat) {
    Resources capacity = heartbeat.capacity();
    Resources used = heartbeat.used();
    return new NodeHeartbeat(
        heartbeat.nodeId(),
        heartbeat.bootId(),
        heartbeat.dataPlaneUrl(),
        capacity.cpuMillis(),
        capacity.memoryBytes(),
        capacity.sandboxes(),
        used.cpuMillis(),
        used.memoryBytes(),
        used.sandboxes(),
        heartbeat.images().stream().sorted().toList(),
        heartbeat.labels(),
        heartbeat.at(),
        mapped(heartbeat.warm(), NodeRecords::write));
  }

  private static Heartbeat read(NodeHeartbeat heartbeat) {
    if (!NODE_ID.matcher(heartbeat.getNodeId()).matches()) {
      throw new UnreadableException("not a node id: \"" + heartbeat.getNodeId() + "\"");
    }
    return new Heartbeat(
        heartbeat.getNodeId(),
        heartbeat.getBootId(),
        heartbeat.getDataPlaneUrl(),
        new Resources(
            heartbeat.getCapacityCpuMillis(),
            heartbeat.getCapacityMemoryBytes(),
            heartbeat.getCapacitySandboxes()),
        new Resources(
            heartbeat.getUsedCpuMillis(),
            heartbeat.getUsedMemoryBytes(),
            heartbeat.getUsedSandboxes()),
        Set.copyOf(heartbeat.getImages()),
        heartbeat.getLabels(),
        heartbeat.getAt(),
        mapped(heartbeat.getWarm(), NodeRecords::read));
  }

  private static io.sandglass.schemas.WarmStock write(WarmStock stock) {
    return new io.sandglass.schemas.WarmStock(
        stock.wanted(), stock.ready(), stock.starting(), stock.hits(), stock.misses());
  }

  private static WarmStock read(io.sandglass.schemas.WarmStock stock) {
    return new WarmStock(
        stock.getWanted(),
        stock.getReady(),
        stock.getStarting(),
        stock.getHits(),
        stock.getMisses());
  }

  private static <T, R> Map<String, R> mapped(Map<String, T> map, Function<T, R> each) {
    return map.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> each.apply(entry.getValue())));
  }
}
