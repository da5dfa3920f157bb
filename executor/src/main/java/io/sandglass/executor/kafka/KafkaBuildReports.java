package io.sandglass.executor.kafka;

import io.sandglass.executor.template.Build;
import io.sandglass.executor.template.BuildReports;
import io.sandglass.schemas.TemplateBuild;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Builds as records beside the templates' definitions. */
public final class KafkaBuildReports implements BuildReports {
  private final Producer<String, SpecificRecord> producer;
  private final String nodeId;
  private final InstantSource clock;

  public KafkaBuildReports(
      Producer<String, SpecificRecord> producer, String nodeId, InstantSource clock) {
    this.producer = producer;
    this.nodeId = nodeId;
    this.clock = clock;
  }

  @Override
  public CompletableFuture<Void> tell(Build build) {
    return Sending.send(
        producer,
        record(
            build.templateId(),
            TemplateBuild.newBuilder()
                .setTemplateId(build.templateId())
                .setRevision(build.revision())
                .setNodeId(nodeId)
                .setState(build.state().text())
                .setError(build.error().orElse(null))
                .setAt(clock.instant())
                .build()));
  }

  @Override
  public CompletableFuture<Void> forget(String templateId) {
    return Sending.send(producer, record(templateId, null));
  }

  private ProducerRecord<String, SpecificRecord> record(String templateId, SpecificRecord value) {
    return new ProducerRecord<>(
        TemplateReader.PARTITION.topic(),
        TemplateReader.PARTITION.partition(),
        templateId + "@" + nodeId,
        value);
  }
}
