package io.sandglass.executor.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.template.Build;
import io.sandglass.executor.template.Template;
import io.sandglass.executor.template.Templates;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.TemplateBuild;
import io.sandglass.schemas.TemplateDefined;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TemplateReaderTest {
  private final MockConsumer<String, Decoded> consumer = new MockConsumer<>("earliest");
  private final List<Templates> told = new ArrayList<>();
  private long offset;

  @BeforeEach
  void begin() {
    consumer.updateBeginningOffsets(Map.of(TemplateReader.PARTITION, 0L));
    consumer.updateEndOffsets(Map.of(TemplateReader.PARTITION, 2L));
  }

  private TemplateReader.Reading reading() {
    return new TemplateReader(() -> consumer, "node-1", List.of(told::add)).new Reading(consumer);
  }

  private void add(String key, Decoded value) {
    consumer.addRecord(
        new ConsumerRecord<>(TemplateReader.PARTITION.topic(), 0, offset++, key, value));
  }

  private static Decoded defined(String id, String revision) {
    return new Decoded.Known(
        TemplateDefined.newBuilder()
            .setTemplateId(id)
            .setOrgId("org_a")
            .setName("name")
            .setRevision(revision)
            .setImage("image:" + revision)
            .setDockerfile("FROM x")
            .setDescription("")
            .setEnvNames(List.of())
            .setWarm(2)
            .setActor("key")
            .setAt(Instant.EPOCH)
            .build());
  }

  private static Decoded build(String id, String node, String state) {
    return new Decoded.Known(
        TemplateBuild.newBuilder()
            .setTemplateId(id)
            .setRevision("tpr_1")
            .setNodeId(node)
            .setState(state)
            .setError("why")
            .setAt(Instant.EPOCH)
            .build());
  }

  private static Template template(String id, String revision) {
    return new Template(
        id, "org_a", "name", revision, "image:" + revision, Optional.of("FROM x"), 2);
  }

  @Test
  void nothingIsToldBeforeTheEndWasReachedOnce() {
    TemplateReader.Reading reading = reading();
    add("tpl_a", defined("tpl_a", "tpr_1"));
    reading.step();
    assertThat(told).isEmpty();

    add("tpl_a", defined("tpl_a", "tpr_2"));
    reading.step();
    assertThat(told).containsExactly(new Templates(List.of(template("tpl_a", "tpr_2")), Map.of()));
  }

  @Test
  void thatThereIsNoneIsTold() {
    consumer.updateEndOffsets(Map.of(TemplateReader.PARTITION, 0L));
    TemplateReader.Reading reading = reading();
    reading.step();
    reading.step();
    assertThat(told).containsExactly(Templates.NONE);
  }

  @Test
  void everyChangeIsToldAndNothingElse() {
    TemplateReader.Reading reading = reading();
    add("tpl_a", defined("tpl_a", "tpr_1"));
    add("tpl_b", defined("tpl_b", "tpr_1"));
    reading.step();
    add("tpl_a@node-2", build("tpl_a", "node-2", "building"));
    add("tpl_b@node-1", build("tpl_b", "node-1", "dreaming"));
    add("tpl_c", new Decoded.Malformed("noise"));
    reading.step();
    assertThat(told).hasSize(1);

    add("tpl_b@node-1", build("tpl_b", "node-1", "failed"));
    add("tpl_a", null);
    reading.step();
    Build failed = new Build("tpl_b", "tpr_1", Build.State.FAILED, Optional.of("why"));
    assertThat(told)
        .last()
        .isEqualTo(new Templates(List.of(template("tpl_b", "tpr_1")), Map.of("tpl_b", failed)));

    add("tpl_b@node-1", null);
    reading.step();
    assertThat(told.getLast().builds()).isEmpty();
    assertThat(told).hasSize(3);
  }
}
