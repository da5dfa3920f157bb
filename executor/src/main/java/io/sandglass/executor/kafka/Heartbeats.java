package io.sandglass.executor.kafka;

import io.sandglass.executor.sandbox.Capacity;
import io.sandglass.executor.sandbox.Stock;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WarmStock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says every so often that this node is alive and what it has. */
public final class Heartbeats {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeats.class);

  /**
   * Who speaks.
   *
   * @param bootId new for every start of this process
   */
  public record Speaker(
      String nodeId, String bootId, String dataPlaneUrl, Map<String, String> labels) {}

  private final Producer<String, SpecificRecord> producer;
  private final Speaker speaker;
  private final Supplier<Capacity> capacity;
  private final Supplier<Capacity> used;
  private final Supplier<List<String>> images;
  private final Supplier<Map<String, Stock>> warm;
  private final Duration every;
  private final InstantSource clock;
  private volatile Optional<Instant> lastAcknowledged = Optional.empty();
  private Optional<Thread> thread = Optional.empty();

  public Heartbeats(
      Producer<String, SpecificRecord> producer,
      Speaker speaker,
      Supplier<Capacity> capacity,
      Supplier<Capacity> used,
      Supplier<List<String>> images,
      Supplier<Map<String, Stock>> warm,
      Duration every,
      InstantSource clock) {
    this.producer = producer;
    this.speaker = speaker;
    this.capacity = capacity;
    this.used = used;
    this.images = images;
    this.warm = warm;
    this.every = every;
    this.clock = clock;
  }

  /** When the last one was sent that the log has. */
  public Optional<Instant> lastAcknowledged() {
    return lastAcknowledged;
  }

  public void start() {
    thread = Optional.of(Thread.ofVirtual().name("heartbeats").start(this::run));
  }

  public void stop() {
    thread.ifPresent(Thread::interrupt);
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        beat();
        Thread.sleep(every);
      }
    } catch (InterruptedException e) {
      LOG.debug("The heart stops");
    }
  }

  void beat() {
    Instant at = clock.instant();
    try {
      var _ =
          producer.send(
              new ProducerRecord<>(Topic.HEARTBEATS.topicName(), speaker.nodeId(), heartbeat(at)),
              (metadata, error) -> {
                if (error == null) {
                  lastAcknowledged = Optional.of(at);
                } else {
                  LOG.warn("A heartbeat was lost: {}", error.toString());
                }
              });
    } catch (RuntimeException e) {
      LOG.warn("A heartbeat was not sent: {}", e.toString());
    }
  }

  private NodeHeartbeat heartbeat(Instant at) {
    Capacity all = capacity.get();
    Capacity taken = used.get();
    return NodeHeartbeat.newBuilder()
        .setNodeId(speaker.nodeId())
        .setBootId(speaker.bootId())
        .setDataPlaneUrl(speaker.dataPlaneUrl())
        .setCapacityCpuMillis(all.cpuMillis())
        .setCapacityMemoryBytes(all.memoryBytes())
        .setCapacitySandboxes(all.sandboxes())
        .setUsedCpuMillis(taken.cpuMillis())
        .setUsedMemoryBytes(taken.memoryBytes())
        .setUsedSandboxes(taken.sandboxes())
        .setImages(images.get())
        .setLabels(speaker.labels())
        .setAt(at)
        .setWarm(
            warm.get().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, stock -> stock(stock.getValue()))))
        .build();
  }

  private static WarmStock stock(Stock stock) {
    return new WarmStock(
        stock.wanted(), stock.ready(), stock.starting(), stock.hits(), stock.misses());
  }
}
