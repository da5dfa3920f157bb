package io.sandglass.engine.stream;

import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.Receipt;
import io.sandglass.engine.wire.StateCodec;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The engine's topology: one sub-topology for the sandboxes, one for the nodes' heartbeats, and the
 * nodes' statuses as a table that every task of the first can look into.
 */
final class SandboxTopology {
  private SandboxTopology() {}

  static Topology build(
      Settings settings, Ports ports, StreamPartitioner<byte[], Outgoing> partitioner) {
    Topology topology = new Topology();
    nodeTable(topology);
    sandboxes(topology, settings, ports, partitioner);
    heartbeats(topology, settings, ports, partitioner);
    return topology;
  }

  static void nodeTable(Topology topology) {
    topology.addGlobalStore(
        Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(Names.NODES_STORE),
                Serdes.String(),
                Serdes.ByteArray())
            .withLoggingDisabled(),
        Names.NODE_UPDATES,
        new StringDeserializer(),
        new ByteArrayDeserializer(),
        Topic.NODES.topicName(),
        Names.NODE_TABLE,
        NodeTable::new);
  }

  private static void sandboxes(
      Topology topology,
      Settings settings,
      Ports ports,
      StreamPartitioner<byte[], Outgoing> partitioner) {
    source(topology, Names.COMMANDS, Topic.COMMANDS);
    topology.addProcessor(
        Names.SANDBOX_PROCESSOR,
        supplier(() -> new SandboxProcessor(settings, ports), sandboxStores()),
        Names.COMMANDS);
    sink(topology, Names.EVENTS, Topic.EVENTS, partitioner, Names.SANDBOX_PROCESSOR);
    sink(topology, Names.CHECKPOINTS, Topic.CHECKPOINTS, partitioner, Names.SANDBOX_PROCESSOR);
    sink(topology, Names.ORDERS, Topic.ORDERS, partitioner, Names.SANDBOX_PROCESSOR);
    sink(topology, Names.OUTCOMES, Topic.OUTCOMES, partitioner, Names.SANDBOX_PROCESSOR);
    sink(topology, Names.DEAD_COMMANDS, Topic.DEAD_LETTERS, partitioner, Names.SANDBOX_PROCESSOR);
  }

  private static void heartbeats(
      Topology topology,
      Settings settings,
      Ports ports,
      StreamPartitioner<byte[], Outgoing> partitioner) {
    source(topology, Names.HEARTBEATS, Topic.HEARTBEATS);
    StoreBuilder<?> fleet =
        Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(Names.FLEET_STORE), Serdes.String(), Serdes.ByteArray());
    topology.addProcessor(
        Names.HEARTBEAT_PROCESSOR,
        supplier(() -> new HeartbeatProcessor(settings, ports), Set.of(fleet)),
        Names.HEARTBEATS);
    String parent = Names.HEARTBEAT_PROCESSOR;
    sink(topology, Names.NODE_STATUSES, Topic.NODES, partitioner, parent);
    sink(topology, Names.PULSES, Topic.HEARTBEATS, partitioner, parent);
    sink(topology, Names.DEAD_HEARTBEATS, Topic.DEAD_LETTERS, partitioner, parent);
  }

  /** In this order at every start: it shows in the topology's description. */
  private static Set<StoreBuilder<?>> sandboxStores() {
    return new LinkedHashSet<>(
        List.of(
            Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(Names.SANDBOXES_STORE),
                Serdes.String(),
                sandboxSerde()),
            Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(Names.DEADLINES_STORE),
                DeadlineIndex.KEYS,
                DeadlineIndex.VALUES),
            Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(Names.LEDGER_STORE), Serdes.Integer(), ledgerSerde()),
            Stores.windowStoreBuilder(
                Stores.persistentWindowStore(
                    Names.RECEIPTS_STORE, Receipts.KEPT, Duration.ofMillis(1), false),
                Serdes.String(),
                receiptSerde())));
  }

  private static Serde<Kept> sandboxSerde() {
    return Serdes.serdeFrom(
        (_, kept) -> kept == null ? null : StateCodec.encode(kept),
        (_, bytes) -> bytes == null ? null : StateCodec.decodeKept(bytes));
  }

  private static Serde<Ledger> ledgerSerde() {
    return Serdes.serdeFrom(
        (_, ledger) -> ledger == null ? null : StateCodec.encode(ledger),
        (_, bytes) -> bytes == null ? null : StateCodec.decodeLedger(bytes));
  }

  private static Serde<Receipt> receiptSerde() {
    return Serdes.serdeFrom(
        (_, receipt) -> receipt == null ? null : StateCodec.encode(receipt),
        (_, bytes) -> bytes == null ? null : StateCodec.decodeReceipt(bytes));
  }

  static void source(Topology topology, String name, Topic topic) {
    topology.addSource(
        name, new ByteArrayDeserializer(), new ByteArrayDeserializer(), topic.topicName());
  }

  static void sink(
      Topology topology,
      String name,
      Topic topic,
      StreamPartitioner<byte[], Outgoing> partitioner,
      String parent) {
    topology.addSink(
        name,
        topic.topicName(),
        new ByteArraySerializer(),
        Outgoing.serializer(),
        partitioner,
        parent);
  }

  /** A supplier must make a new processor whenever it is asked; so the maker is passed on. */
  static ProcessorSupplier<byte[], byte[], byte[], Outgoing> supplier(
      Maker maker, Set<StoreBuilder<?>> stores) {
    return new ProcessorSupplier<>() {
      @Override
      public Processor<byte[], byte[], byte[], Outgoing> get() {
        return maker.make();
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return stores;
      }
    };
  }

  interface Maker {
    Processor<byte[], byte[], byte[], Outgoing> make();
  }
}
