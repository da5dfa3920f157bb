package io.sandglass.executor.kafka;

import java.util.concurrent.CompletableFuture;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Sending a record, as a future that knows no Kafka. */
final class Sending {
  private Sending() {}

  /** Completes when the log has it. */
  static CompletableFuture<Void> send(
      Producer<String, SpecificRecord> producer, ProducerRecord<String, SpecificRecord> record) {
    CompletableFuture<Void> delivery = new CompletableFuture<>();
    try {
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
