package io.sandglass.executor.kafka;

import io.sandglass.executor.sandbox.Order;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads this node's slot from the nodes topic, and the orders from the partition that is the slot.
 * Partitions are assigned, not shared out: nobody else reads them. An order's offset is committed
 * when it and all before it are done, so whatever was not finished is delivered again.
 */
public final class OrderLoop {
  private static final Logger LOG = LoggerFactory.getLogger(OrderLoop.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration COMMIT = Duration.ofSeconds(1);
  private static final long NEVER = -1;
  private static final TopicPartition NODES = new TopicPartition(Topic.NODES.topicName(), 0);

  /** Where orders go. */
  public interface Recipient {
    /**
     * @param done to be called once, when the log may forget the order
     */
    void receive(Order order, Runnable done);

    /** The engine lost sight of this node or saw it restart: tell it anew what is here. */
    void tellAnew();
  }

  private final String nodeId;
  private final OrderReading reading;
  private final Recipient recipient;
  private final int mostInFlight;
  private final ReadingThread thread;

  // Of the loop's thread alone.
  private Optional<TopicPartition> orders = Optional.empty();
  private ContiguousOffsets offsets = new ContiguousOffsets();
  private OptionalLong epoch = OptionalLong.empty();

  /**
   * @param consumers makes a consumer, and another one when the first has failed
   * @param mostInFlight orders that are read but not done, beyond which no more are read
   */
  public OrderLoop(
      Supplier<Consumer<String, Decoded>> consumers,
      String nodeId,
      Recipient recipient,
      int mostInFlight) {
    this.nodeId = nodeId;
    this.reading = new OrderReading(nodeId);
    this.recipient = recipient;
    this.mostInFlight = mostInFlight;
    this.thread = new ReadingThread("orders", consumers, this::begin);
  }

  public void start() {
    thread.start();
  }

  /** Stops reading; commits what is done by then. */
  public void stop() throws InterruptedException {
    thread.stop();
  }

  private ReadingThread.Reading begin(Consumer<String, Decoded> consumer) {
    orders = Optional.empty();
    consumer.assign(List.of(NODES));
    consumer.seekToBeginning(List.of(NODES));
    return new ReadingThread.Reading() {
      @Override
      public void step() {
        OrderLoop.this.step(consumer);
      }

      @Override
      public void end() {
        commit(consumer, true);
      }
    };
  }

  /** One poll, and what follows from it. */
  void step(Consumer<String, Decoded> consumer) {
    for (ConsumerRecord<String, Decoded> record : consumer.poll(POLL)) {
      if (record.topic().equals(Topic.NODES.topicName())) {
        ownStatus(record).ifPresent(status -> follow(consumer, status));
      } else if (orders.filter(o -> o.partition() == record.partition()).isPresent()) {
        receive(record);
      }
    }
    commit(consumer, false);
    hold(consumer);
  }

  private Optional<NodeStatus> ownStatus(ConsumerRecord<String, Decoded> record) {
    if (nodeId.equals(record.key())
        && record.value() instanceof Decoded.Known(SpecificRecord known)
        && known instanceof NodeStatus status) {
      return Optional.of(status);
    }
    return Optional.empty();
  }

  private void follow(Consumer<String, Decoded> consumer, NodeStatus status) {
    TopicPartition slot = new TopicPartition(Topic.ORDERS.topicName(), status.getSlot());
    if (!orders.equals(Optional.of(slot))) {
      LOG.info("node={} slot={} epoch={}", nodeId, status.getSlot(), status.getEpoch());
      commit(consumer, true);
      orders = Optional.of(slot);
      offsets = new ContiguousOffsets();
      consumer.assign(new ArrayList<>(List.of(NODES, slot)));
    }
    if (epoch.isEmpty() || epoch.getAsLong() < status.getEpoch()) {
      epoch = OptionalLong.of(status.getEpoch());
      recipient.tellAnew();
    }
  }

  private void receive(ConsumerRecord<String, Decoded> record) {
    ContiguousOffsets tracked = offsets;
    long offset = record.offset();
    tracked.opened(offset);
    switch (reading(record)) {
      case OrderReading.Reading.Read read ->
          recipient.receive(read.order(), () -> tracked.done(offset));
      case OrderReading.Reading.ForeignNode foreign -> {
        LOG.debug("order offset={} is of node {}", offset, foreign.nodeId());
        tracked.done(offset);
      }
      case OrderReading.Reading.Unreadable unreadable -> {
        LOG.warn(
            "order partition={} offset={} skipped: {}",
            record.partition(),
            offset,
            unreadable.reason());
        tracked.done(offset);
      }
    }
  }

  private OrderReading.Reading reading(ConsumerRecord<String, Decoded> record) {
    return switch (record.value()) {
      case Decoded.Known known -> reading.read(known.record());
      case Decoded.Unknown unknown ->
          new OrderReading.Reading.Unreadable(
              "written with a schema of a newer release: "
                  + Long.toHexString(unknown.fingerprint()));
      case Decoded.Malformed malformed -> new OrderReading.Reading.Unreadable(malformed.reason());
      case null -> new OrderReading.Reading.Unreadable("a tombstone");
    };
  }

  private void commit(Consumer<String, Decoded> consumer, boolean wait) {
    OptionalLong next = offsets.toCommit();
    if (orders.isEmpty() || next.isEmpty()) {
      return;
    }
    ContiguousOffsets tracked = offsets;
    Map<TopicPartition, OffsetAndMetadata> commit =
        Map.of(orders.get(), new OffsetAndMetadata(next.getAsLong()));
    if (wait) {
      try {
        consumer.commitSync(commit, COMMIT);
        tracked.committed(next.getAsLong());
      } catch (KafkaException e) {
        LOG.warn("The last offset was not committed; its orders come again: {}", e.toString());
      }
    } else {
      tracked.committed(next.getAsLong());
      consumer.commitAsync(
          commit,
          (offsetsCommitted, error) -> {
            if (error != null) {
              LOG.warn("An offset was not committed, and will be: {}", error.toString());
              tracked.committed(NEVER);
            }
          });
    }
  }

  /** Reads no more orders while too many are under way. */
  private void hold(Consumer<String, Decoded> consumer) {
    orders
        .map(List::of)
        .ifPresent(
            partition -> {
              if (offsets.inFlight() >= mostInFlight) {
                consumer.pause(partition);
              } else {
                consumer.resume(partition);
              }
            });
  }
}
