package io.sandglass.api.kafka;

import io.dropwizard.lifecycle.Managed;
import io.sandglass.api.control.Nodes;
import io.sandglass.api.domain.Pool;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.Topic;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the newest status of every node, from the compacted topic. */
public final class NodesReader implements Nodes, Managed {
  private static final Logger LOG = LoggerFactory.getLogger(NodesReader.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final String READY = "ready";

  /** What the API needs of a node. */
  private record Node(String state, String dataPlaneUrl, Set<String> images, List<Pool> pools) {}

  private final Map<String, Node> nodes = new ConcurrentHashMap<>();
  private final LogReader reader;

  public NodesReader(KafkaSettings settings) {
    this.reader = new LogReader("nodes", settings.consumer(), new Reading());
  }

  @Override
  public void start() {
    reader.start();
  }

  @Override
  public void stop() throws InterruptedException {
    reader.stop();
  }

  @Override
  public Optional<URI> dataPlane(String nodeId) {
    return Optional.ofNullable(nodes.get(nodeId))
        .filter(node -> node.state().equals(READY))
        .map(node -> URI.create(node.dataPlaneUrl()));
  }

  @Override
  public boolean anyReady() {
    return ready().findAny().isPresent();
  }

  @Override
  public Set<String> images() {
    return ready().flatMap(node -> node.images().stream()).collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public List<Pool> pools() {
    return ready()
        .flatMap(node -> node.pools().stream())
        .sorted(Comparator.comparing(Pool::image).thenComparing(Pool::nodeId))
        .toList();
  }

  private static List<Pool> pools(NodeHeartbeat heartbeat) {
    List<Pool> pools = new ArrayList<>();
    heartbeat
        .getWarm()
        .forEach(
            (image, stock) ->
                pools.add(
                    new Pool(
                        heartbeat.getNodeId(),
                        image,
                        stock.getWanted(),
                        stock.getReady(),
                        stock.getStarting(),
                        stock.getHits(),
                        stock.getMisses())));
    return pools;
  }

  private Stream<Node> ready() {
    return nodes.values().stream().filter(node -> node.state().equals(READY));
  }

  private final class Reading implements LogReader.Reading {
    @Override
    public void read(Consumer<String, Decoded> consumer) {
      List<PartitionInfo> partitions = consumer.partitionsFor(Topic.NODES.topicName());
      if (partitions == null || partitions.isEmpty()) {
        throw new IllegalStateException("Kafka has no topic " + Topic.NODES.topicName());
      }
      List<TopicPartition> all =
          partitions.stream()
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      while (true) {
        for (ConsumerRecord<String, Decoded> record : consumer.poll(POLL)) {
          take(record);
        }
      }
    }

    @Override
    public void interrupted() {
      // What was known stays known; a node that is gone shows when it is called.
    }

    private void take(ConsumerRecord<String, Decoded> record) {
      switch (record.value()) {
        case null -> nodes.remove(record.key());
        case Decoded.Known(NodeStatus status) ->
            nodes.put(
                status.getNodeId(),
                new Node(
                    status.getState(),
                    status.getHeartbeat().getDataPlaneUrl(),
                    Set.copyOf(status.getHeartbeat().getImages()),
                    pools(status.getHeartbeat())));
        case Decoded.Known _, Decoded.Unknown _, Decoded.Malformed _ ->
            LOG.warn("topic={} offset={} is no node's status", record.topic(), record.offset());
      }
    }
  }
}
