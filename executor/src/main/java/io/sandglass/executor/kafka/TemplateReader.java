package io.sandglass.executor.kafka;

import io.sandglass.executor.template.Build;
import io.sandglass.executor.template.Template;
import io.sandglass.executor.template.Templates;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.TemplateBuild;
import io.sandglass.schemas.TemplateDefined;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands on all templates whenever one has changed. The topic is compacted and small: it is read
 * from its beginning at every start, and nothing is handed on before its end was reached once, so
 * nobody acts on what has long been replaced.
 */
public final class TemplateReader {
  private static final Logger LOG = LoggerFactory.getLogger(TemplateReader.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  static final TopicPartition PARTITION = new TopicPartition(Topic.TEMPLATES.topicName(), 0);

  private final String nodeId;
  private final List<java.util.function.Consumer<Templates>> listeners;
  private final ReadingThread thread;

  /**
   * @param consumers makes a consumer, and another one when the first has failed
   * @param nodeId whose builds are told of
   * @param listeners called one after the other in the reader's thread; must not wait
   */
  public TemplateReader(
      Supplier<Consumer<String, Decoded>> consumers,
      String nodeId,
      List<java.util.function.Consumer<Templates>> listeners) {
    this.nodeId = nodeId;
    this.listeners = List.copyOf(listeners);
    this.thread = new ReadingThread("templates", consumers, Reading::new);
  }

  public void start() {
    thread.start();
  }

  public void stop() throws InterruptedException {
    thread.stop();
  }

  /** One reading of the topic from its beginning on. */
  final class Reading implements ReadingThread.Reading {
    private final Consumer<String, Decoded> consumer;
    private final long end;
    private final Map<String, Template> defined = new LinkedHashMap<>();
    private final Map<String, Build> builds = new LinkedHashMap<>();
    private boolean told;

    Reading(Consumer<String, Decoded> consumer) {
      this.consumer = consumer;
      consumer.assign(List.of(PARTITION));
      consumer.seekToBeginning(List.of(PARTITION));
      this.end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
    }

    @Override
    public void step() {
      boolean changed = false;
      for (ConsumerRecord<String, Decoded> record : consumer.poll(POLL)) {
        changed |= take(record);
      }
      if ((changed || !told) && consumer.position(PARTITION) >= end) {
        told = true;
        Templates all = new Templates(List.copyOf(defined.values()), builds);
        listeners.forEach(listener -> listener.accept(all));
      }
    }

    @Override
    public void end() {
      // Nothing is kept of how far it came.
    }

    private boolean take(ConsumerRecord<String, Decoded> record) {
      return switch (record.value()) {
        case null -> gone(record.key());
        case Decoded.Known(TemplateDefined one) -> {
          defined.put(one.getTemplateId(), template(one));
          yield true;
        }
        case Decoded.Known(TemplateBuild build) -> build.getNodeId().equals(nodeId) && take(build);
        case Decoded.Known _, Decoded.Unknown _, Decoded.Malformed _ -> {
          LOG.warn("topic={} offset={} is nothing of a template", record.topic(), record.offset());
          yield false;
        }
      };
    }

    private boolean gone(String key) {
      int at = key.indexOf('@');
      if (at < 0) {
        return defined.remove(key) != null;
      }
      return key.substring(at + 1).equals(nodeId) && builds.remove(key.substring(0, at)) != null;
    }

    private boolean take(TemplateBuild build) {
      Optional<Build.State> state = Build.State.parse(build.getState());
      state.ifPresent(
          known ->
              builds.put(
                  build.getTemplateId(),
                  new Build(
                      build.getTemplateId(),
                      build.getRevision(),
                      known,
                      Optional.ofNullable(build.getError()))));
      return state.isPresent();
    }
  }

  private static Template template(TemplateDefined one) {
    return new Template(
        one.getTemplateId(),
        one.getOrgId(),
        one.getName(),
        one.getRevision(),
        one.getImage(),
        Optional.ofNullable(one.getDockerfile()),
        one.getWarm());
  }
}
