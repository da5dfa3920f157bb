package io.sandglass.engine.stream;

import io.sandglass.engine.wire.Letters;
import java.time.Instant;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts aside what can't be processed: it must neither stop the engine nor be lost. */
final class DeadLetters {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

  private DeadLetters() {}

  static void send(
      ProcessorContext<byte[], Outgoing> context,
      String sink,
      Record<byte[], byte[]> record,
      String reason,
      Instant at,
      EngineMetrics metrics) {
    RecordMetadata source = context.recordMetadata().orElseThrow();
    LOG.warn(
        "dead letter topic={} partition={} offset={} reason={}",
        source.topic(),
        source.partition(),
        source.offset(),
        reason);
    metrics.deadLetter();
    Outgoing letter =
        Outgoing.byKey(
            Letters.deadLetter(
                source.topic(),
                source.partition(),
                source.offset(),
                record.key(),
                record.value(),
                reason,
                at));
    context.forward(new Record<>(record.key(), letter, at.toEpochMilli(), record.headers()), sink);
  }
}
