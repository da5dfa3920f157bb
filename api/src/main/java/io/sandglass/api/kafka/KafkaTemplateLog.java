package io.sandglass.api.kafka;

import io.dropwizard.lifecycle.Managed;
import io.sandglass.api.control.Origin;
import io.sandglass.api.control.TemplateLog;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.store.TemplateStore;
import io.sandglass.api.wire.TemplateRecords;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.TemplateBuild;
import io.sandglass.schemas.TemplateDefined;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes definitions of templates, and reads them and their builds into the store. The topic is
 * compacted and small: every instance reads all of it when it starts, and the store ignores what it
 * has seen.
 */
public final class KafkaTemplateLog implements TemplateLog, Managed {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaTemplateLog.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final TopicPartition PARTITION =
      new TopicPartition(Topic.TEMPLATES.topicName(), 0);

  private final Producer<String, SpecificRecord> producer;
  private final TemplateStore store;
  private final LogReader reader;

  public KafkaTemplateLog(KafkaSettings settings, TemplateStore store) {
    this.producer =
        new KafkaProducer<>(settings.producer(), new StringSerializer(), WireFormat.serializer());
    this.store = store;
    this.reader = new LogReader("templates", settings.consumer(), new Reading());
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
  public long define(TemplateDefinition definition, Origin origin) {
    return append(
        definition.id(), TemplateRecords.write(definition, origin.actor(), origin.requestId()));
  }

  @Override
  public long delete(String templateId) {
    return append(templateId, null);
  }

  private long append(String key, SpecificRecord record) {
    return Appending.append(
            producer, new ProducerRecord<>(PARTITION.topic(), PARTITION.partition(), key, record))
        .offset();
  }

  private final class Reading implements LogReader.Reading {
    @Override
    public void read(Consumer<String, Decoded> consumer) {
      List<TopicPartition> all = List.of(PARTITION);
      consumer.assign(all);
      consumer.seekToBeginning(all);
      while (true) {
        for (ConsumerRecord<String, Decoded> record : consumer.poll(POLL)) {
          take(record);
        }
      }
    }

    @Override
    public void interrupted() {
      // What was read stays; the next reading begins anew.
    }

    private void take(ConsumerRecord<String, Decoded> record) {
      switch (record.value()) {
        case null -> gone(record.key(), record.offset());
        case Decoded.Known(TemplateDefined defined) ->
            store.defined(TemplateRecords.read(defined), record.offset());
        case Decoded.Known(TemplateBuild build) ->
            TemplateRecords.read(build).ifPresent(known -> store.built(known, record.offset()));
        case Decoded.Known _, Decoded.Unknown _, Decoded.Malformed _ ->
            LOG.warn(
                "topic={} offset={} is nothing of a template", record.topic(), record.offset());
      }
    }

    private void gone(String key, long offset) {
      int at = key.indexOf('@');
      if (at < 0) {
        store.deleted(key, offset);
      } else {
        store.forgotten(key.substring(0, at), key.substring(at + 1), offset);
      }
    }
  }
}
