package io.sandglass.engine.stream;

import io.sandglass.schemas.Topic;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The topology of the usage application: events in, intervals and watermarks out, and the nodes'
 * statuses as a table.
 */
final class UsageTopology {
  private UsageTopology() {}

  static Topology build(
      UsageProcessor.Settings settings, Frontier frontier, EngineMetrics metrics) {
    Topology topology = new Topology();
    SandboxTopology.nodeTable(topology);
    SandboxTopology.source(topology, Names.EVENTS, Topic.EVENTS);
    StoreBuilder<?> meters =
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(Names.METERS_STORE),
            Serdes.String(),
            Serdes.ByteArray());
    topology.addProcessor(
        Names.USAGE_PROCESSOR,
        SandboxTopology.supplier(
            () -> new UsageProcessor(settings, frontier, metrics), Set.of(meters)),
        Names.EVENTS);
    String parent = Names.USAGE_PROCESSOR;
    SandboxTopology.sink(topology, Names.USAGE, Topic.USAGE, Outgoing.partitioner(), parent);
    SandboxTopology.sink(
        topology, Names.DEAD_EVENTS, Topic.DEAD_LETTERS, Outgoing.partitioner(), parent);
    return topology;
  }
}
