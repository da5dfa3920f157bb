package io.sandglass.executor.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.sandbox.Order;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.RemoveContainer;
import io.sandglass.schemas.Topic;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class OrderLoopTest {
  private static final String NODE = "node-1";
  private static final TopicPartition NODES = new TopicPartition(Topic.NODES.topicName(), 0);
  private static final TopicPartition SLOT = new TopicPartition(Topic.ORDERS.topicName(), 3);

  private final MockConsumer<String, Decoded> consumer = new MockConsumer<>("earliest");
  private final List<Order> orders = new ArrayList<>();
  private final List<Runnable> dones = new ArrayList<>();
  private int toldAnew;
  private long nodesOffset;
  private long slotOffset;

  private final OrderLoop loop =
      new OrderLoop(
          () -> consumer,
          NODE,
          new OrderLoop.Recipient() {
            @Override
            public void receive(Order order, Runnable done) {
              orders.add(order);
              dones.add(done);
            }

            @Override
            public void tellAnew() {
              toldAnew++;
            }
          },
          2);

  @BeforeEach
  void begin() {
    consumer.updateBeginningOffsets(Map.of(NODES, 0L, SLOT, 0L));
    consumer.assign(List.of(NODES));
    consumer.seekToBeginning(List.of(NODES));
  }

  private void status(String node, int slot, long epoch) {
    NodeHeartbeat heartbeat =
        NodeHeartbeat.newBuilder()
            .setNodeId(node)
            .setBootId("boot")
            .setDataPlaneUrl("http://localhost")
            .setCapacityCpuMillis(0)
            .setCapacityMemoryBytes(0)
            .setCapacitySandboxes(0)
            .setUsedCpuMillis(0)
            .setUsedMemoryBytes(0)
            .setUsedSandboxes(0)
            .setImages(List.of())
            .setLabels(Map.of())
            .setWarm(Map.of())
            .setAt(Instant.EPOCH)
            .build();
    consumer.addRecord(
        new ConsumerRecord<>(
            NODES.topic(),
            0,
            nodesOffset++,
            node,
            new Decoded.Known(new NodeStatus(node, slot, "ready", epoch, heartbeat))));
    loop.step(consumer);
  }

  private void arrive(Decoded value) {
    consumer.addRecord(
        new ConsumerRecord<>(SLOT.topic(), SLOT.partition(), slotOffset++, "sbx_a", value));
    loop.step(consumer);
  }

  private static Decoded order(String node) {
    SpecificRecord remove = new RemoveContainer("sbx_a", 1, node, "unknown");
    return new Decoded.Known(remove);
  }

  private long committed() {
    OffsetAndMetadata offset = consumer.committed(Set.of(SLOT)).get(SLOT);
    return offset == null ? -1 : offset.offset();
  }

  @Test
  void readsThePartitionThatIsItsSlot() {
    status("node-2", 1, 1);
    assertThat(consumer.assignment()).containsExactly(NODES);

    status(NODE, 3, 1);
    assertThat(consumer.assignment()).containsExactlyInAnyOrder(NODES, SLOT);
    arrive(order(NODE));
    assertThat(orders).hasSize(1);
  }

  @Test
  void commitsWhatIsDoneAndNothingBeyond() {
    status(NODE, 3, 1);
    arrive(order(NODE));
    arrive(order(NODE));
    dones.get(1).run();
    loop.step(consumer);
    assertThat(committed()).isLessThanOrEqualTo(0);

    dones.get(0).run();
    loop.step(consumer);
    assertThat(committed()).isEqualTo(2);
  }

  @Test
  void passesOverWhatItCannotReadAndWhatIsNotItsOwn() {
    status(NODE, 3, 1);
    arrive(new Decoded.Unknown(42));
    arrive(new Decoded.Malformed("broken"));
    arrive(order("node-2"));
    arrive(order(NODE));

    assertThat(orders).hasSize(1);
    assertThat(committed()).isEqualTo(3);
  }

  @Test
  void holdsBackWhileTooManyAreUnderWay() {
    status(NODE, 3, 1);
    arrive(order(NODE));
    arrive(order(NODE));
    assertThat(consumer.paused()).containsExactly(SLOT);

    dones.get(0).run();
    loop.step(consumer);
    assertThat(consumer.paused()).isEmpty();
  }

  @Test
  void tellsAnewWhenTheEpochRises() {
    status(NODE, 3, 1);
    status(NODE, 3, 1);
    assertThat(toldAnew).isEqualTo(1);
    status(NODE, 3, 2);
    assertThat(toldAnew).isEqualTo(2);
  }
}
