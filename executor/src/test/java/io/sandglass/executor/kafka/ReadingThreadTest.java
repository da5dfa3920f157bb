package io.sandglass.executor.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.schemas.Decoded;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

final class ReadingThreadTest {
  private static final TopicPartition PARTITION = new TopicPartition("topic", 0);

  private final List<MockConsumer<String, Decoded>> consumers = new CopyOnWriteArrayList<>();
  private final AtomicInteger steps = new AtomicInteger();
  private final AtomicInteger ends = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();

  private final ReadingThread thread = new ReadingThread("records", this::consumer, this::begin);

  private Consumer<String, Decoded> consumer() {
    MockConsumer<String, Decoded> consumer = new MockConsumer<>("earliest");
    consumers.add(consumer);
    return consumer;
  }

  private ReadingThread.Reading begin(Consumer<String, Decoded> consumer) {
    consumer.assign(List.of(PARTITION));
    consumer.seek(PARTITION, 0);
    return new ReadingThread.Reading() {
      @Override
      public void step() {
        if (failures.getAndDecrement() > 0) {
          throw new KafkaException("a step fails");
        }
        var _ = consumer.poll(Duration.ofMillis(10));
        steps.incrementAndGet();
      }

      @Override
      public void end() {
        assertThat(((MockConsumer<String, Decoded>) consumer).closed()).isFalse();
        ends.incrementAndGet();
      }
    };
  }

  private void awaitSteps() {
    await().atMost(Duration.ofSeconds(60)).until(() -> steps.get() > 2);
  }

  @Test
  void aStopEndsTheReadingBeforeItsConsumerIsClosed() throws InterruptedException {
    thread.start();
    awaitSteps();

    thread.stop();

    assertThat(ends).hasValue(1);
    assertThat(consumers).singleElement().matches(MockConsumer::closed);
  }

  @Test
  void afterAFailureItBeginsAnewWithAnotherConsumer() throws InterruptedException {
    failures.set(1);
    thread.start();
    awaitSteps();

    thread.stop();

    assertThat(ends).hasValue(1);
    assertThat(consumers).hasSize(2).allMatch(MockConsumer::closed);
  }
}
