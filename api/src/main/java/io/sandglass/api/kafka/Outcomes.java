package io.sandglass.api.kafka;

import io.sandglass.api.domain.Decision;
import io.sandglass.api.wire.OutcomeReader;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Hears what became of this instance's commands. It listens to one partition of the outcomes,
 * picked by the instance's id; other instances may listen to the same one, and each takes what it
 * waits for.
 */
final class Outcomes implements LogReader.Reading {
  private static final Duration POLL = Duration.ofSeconds(1);

  private final String instanceId;
  private final ConcurrentMap<String, Set<Waiter>> waiters = new ConcurrentHashMap<>();

  private volatile OptionalInt partition = OptionalInt.empty();

  Outcomes(String instanceId) {
    this.instanceId = instanceId;
  }

  /** Where to have outcomes sent; empty while nobody would hear them. */
  OptionalInt partition() {
    return partition;
  }

  /** To be called before the command is sent, so that no outcome can come too early. */
  Waiter expect(String commandId) {
    Waiter waiter = new Waiter(commandId);
    waiters.compute(
        commandId,
        (id, others) -> {
          Set<Waiter> all = others == null ? ConcurrentHashMap.newKeySet() : others;
          all.add(waiter);
          return all;
        });
    return waiter;
  }

  /** Somebody who waits for one outcome until closed. */
  final class Waiter implements AutoCloseable {
    private final String commandId;
    private final CompletableFuture<Decision> decision = new CompletableFuture<>();

    private Waiter(String commandId) {
      this.commandId = commandId;
    }

    Decision await(Duration atMost) throws InterruptedException {
      try {
        return decision.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        return new Decision.Undecided();
      } catch (ExecutionException e) {
        throw new IllegalStateException("Decisions never fail", e);
      }
    }

    @Override
    public void close() {
      waiters.computeIfPresent(
          commandId,
          (id, all) -> {
            all.remove(this);
            return all.isEmpty() ? null : all;
          });
    }
  }

  @Override
  public void read(Consumer<String, Decoded> consumer) {
    List<PartitionInfo> partitions = consumer.partitionsFor(Topic.OUTCOMES.topicName());
    if (partitions == null || partitions.isEmpty()) {
      throw new IllegalStateException("Kafka has no topic " + Topic.OUTCOMES.topicName());
    }
    TopicPartition own =
        new TopicPartition(
            Topic.OUTCOMES.topicName(), Math.floorMod(instanceId.hashCode(), partitions.size()));
    consumer.assign(List.of(own));
    consumer.seekToEnd(List.of(own));
    // Seeking is lazy: only the position makes sure that what comes from now on is heard.
    var _ = consumer.position(own);
    partition = OptionalInt.of(own.partition());
    while (true) {
      for (ConsumerRecord<String, Decoded> record : consumer.poll(POLL)) {
        if (record.value() instanceof Decoded.Known(CommandOutcome outcome)) {
          Set<Waiter> waiting = waiters.get(outcome.getCommandId());
          Optional.ofNullable(waiting)
              .ifPresent(
                  all -> {
                    Decision decision = OutcomeReader.read(outcome).decision();
                    all.forEach(waiter -> waiter.decision.complete(decision));
                  });
        }
      }
    }
  }

  @Override
  public void interrupted() {
    partition = OptionalInt.empty();
  }
}
