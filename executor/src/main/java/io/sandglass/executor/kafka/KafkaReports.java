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
    CompletableFuture<Void> delivery = new CompletableFuture<>();
    try {
      ProducerRecord<String, SpecificRecord> record =
          new ProducerRecord<>(
              Topic.COMMANDS.topicName(),
              report.subject().life().sandboxId(),
              writing.write(report));
      report
          .subject()
          .requestId()
          .ifPresent(id -> record.headers().add(REQUEST_ID, id.getBytes(StandardCharsets.UTF_8)));
      var _ =
          producer.send(
              record,
              (metadata, error) -> {
                if (error == null) {
                  delivery.complete(null);
                } else {
                  delivery.completeExceptionally(error);
                }
              });
    } catch (RuntimeException e) {
      delivery.completeExceptionally(e);
    }
    return delivery;
  }
}
