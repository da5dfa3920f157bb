package io.sandglass.executor.kafka;

import io.sandglass.executor.sandbox.Report;
import io.sandglass.executor.sandbox.Reports;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Reports as commands of the sandbox's partition. */
public final class KafkaReports implements Reports {
  static final String REQUEST_ID = "x-request-id";

  private final Producer<String, SpecificRecord> producer;
  private final ReportWriting writing;

  public KafkaReports(
      Producer<String, SpecificRecord> producer, String nodeId, InstantSource clock) {
    this.producer = producer;
    this.writing = new ReportWriting(nodeId, clock);
  }

  @Override
  public CompletableFuture<Void> publish(Report report) {
    ProducerRecord<String, SpecificRecord> record;
    try {
      record =
          new ProducerRecord<>(
              Topic.COMMANDS.topicName(),
              report.subject().life().sandboxId(),
              writing.write(report));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
    report
        .subject()
        .requestId()
        .ifPresent(id -> record.headers().add(REQUEST_ID, id.getBytes(StandardCharsets.UTF_8)));
    return Sending.send(producer, record);
  }
}
