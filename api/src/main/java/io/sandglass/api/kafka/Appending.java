package io.sandglass.api.kafka;

import io.sandglass.api.control.LogUnavailableException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;

/** Appending to the log. */
final class Appending {
  private Appending() {}

  /** Where it is in the log, once all replicas have it. */
  static RecordMetadata append(
      Producer<String, SpecificRecord> producer, ProducerRecord<String, SpecificRecord> record) {
    return acknowledged(send(producer, record));
  }

  /** On its way, before whatever is sent later to its partition. */
  static Future<RecordMetadata> send(
      Producer<String, SpecificRecord> producer, ProducerRecord<String, SpecificRecord> record) {
    try {
      return producer.send(record);
    } catch (KafkaException e) {
      throw new LogUnavailableException("Kafka took no record: " + e.getMessage(), false, e);
    }
  }

  /** Where it is in the log, once all replicas have it. */
  static RecordMetadata acknowledged(Future<RecordMetadata> acknowledged) {
    try {
      return acknowledged.get(KafkaSettings.DELIVERY.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      // A send without metadata fails here too, but then nothing ever left this process.
      boolean perhaps =
          !(e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException timeout
              && timeout.getMessage().contains("not present in metadata"));
      throw new LogUnavailableException(
          "Kafka did not acknowledge: " + e.getCause().getMessage(), perhaps, e.getCause());
    } catch (TimeoutException e) {
      throw new LogUnavailableException("Kafka did not acknowledge in time.", true, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LogUnavailableException("Interrupted before Kafka acknowledged.", true, e);
    }
  }
}
