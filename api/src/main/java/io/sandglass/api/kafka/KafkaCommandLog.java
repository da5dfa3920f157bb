package io.sandglass.api.kafka;

import io.dropwizard.lifecycle.Managed;
import io.sandglass.api.control.CommandLog;
import io.sandglass.api.control.LogUnavailableException;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.wire.CommandWriter;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Future;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringSerializer;

/** The command gateway: commands into {@code sandbox.commands}, decisions out of the outcomes. */
public final class KafkaCommandLog implements CommandLog, Managed {
  private static final String REQUEST_ID = "x-request-id";

  private final Producer<String, SpecificRecord> producer;
  private final Outcomes outcomes;
  private final LogReader reader;
  private final Duration patience;
  private final InstantSource clock;

  /**
   * @param instanceId picks the partition where outcomes are listened for
   * @param patience how long a decision is waited for
   */
  public KafkaCommandLog(
      KafkaSettings settings, String instanceId, Duration patience, InstantSource clock) {
    this.producer =
        new KafkaProducer<>(settings.producer(), new StringSerializer(), WireFormat.serializer());
    this.outcomes = new Outcomes(instanceId);
    this.reader = new LogReader("outcomes", settings.consumer(), outcomes);
    this.patience = patience;
    this.clock = clock;
  }

  @Override
  public void start() {
    reader.start();
  }

  @Override
  public void stop() throws InterruptedException {
    producer.close(Duration.ofSeconds(2));
    reader.stop();
  }

  @Override
  public boolean ready() {
    return outcomes.partition().isPresent();
  }

  @Override
  public Asked ask(Command... commands) {
    OptionalInt partition = outcomes.partition();
    if (partition.isEmpty()) {
      throw new LogUnavailableException("Outcomes cannot be heard at the moment.", false, null);
    }
    int last = commands.length - 1;
    Outcomes.Waiter waiter = outcomes.expect(commands[last].header().commandId());
    try {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i <= last; i++) {
        sent.add(send(commands[i], i == last ? partition.getAsInt() : null));
      }
      return new Awaited(waiter, sent);
    } catch (RuntimeException e) {
      waiter.close();
      throw e;
    }
  }

  private final class Awaited implements Asked {
    private final Outcomes.Waiter waiter;
    private final List<Future<RecordMetadata>> sent;

    Awaited(Outcomes.Waiter waiter, List<Future<RecordMetadata>> sent) {
      this.waiter = waiter;
      this.sent = sent;
    }

    @Override
    public void awaitDurable() {
      sent.forEach(Appending::acknowledged);
    }

    @Override
    public Decision decision() {
      try {
        return waiter.await(patience);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return new Decision.Undecided();
      }
    }

    @Override
    public void close() {
      waiter.close();
    }
  }

  @Override
  public Sent send(Command command) {
    Future<RecordMetadata> sent = send(command, null);
    return () -> {
      var _ = Appending.acknowledged(sent);
    };
  }

  private Future<RecordMetadata> send(Command command, Integer replyPartition) {
    Command.Header header = command.header();
    List<Header> headers =
        List.of(
            new RecordHeader(REQUEST_ID, header.requestId().getBytes(StandardCharsets.US_ASCII)));
    ProducerRecord<String, SpecificRecord> record =
        new ProducerRecord<>(
            Topic.COMMANDS.topicName(),
            null,
            header.sandboxId(),
            CommandWriter.write(command, replyPartition, clock.instant()),
            headers);
    return Appending.send(producer, record);
  }
}
