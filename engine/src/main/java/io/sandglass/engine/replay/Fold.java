package io.sandglass.engine.replay;

import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.EventReader.Reading;
import io.sandglass.engine.wire.EventReader.Recorded;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Folds the events of one partition, and checks each against the state that it leads to. A sandbox
 * whose history breaks is told of once, and not folded further.
 */
final class Fold {
  private final Consumer<Finding> findings;
  private final Map<String, Sandbox> states = new HashMap<>();
  private final Set<String> broken = new HashSet<>();

  Fold(Consumer<Finding> findings) {
    this.findings = findings;
  }

  /** The event and the state after it; empty when it breaks its history, or that is broken. */
  Optional<Folded> next(ConsumerRecord<byte[], byte[]> record) {
    String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
    return switch (EventReader.read(record.value())) {
      case Reading.Read(Recorded recorded) -> next(record, key, recorded);
      case Reading.Unreadable(String reason) -> {
        if (broken.add(key)) {
          found(record, key, "can't be read: " + reason);
        }
        yield Optional.empty();
      }
    };
  }

  /** An event and the state after it. */
  record Folded(Recorded recorded, Sandbox after) {
    String sandboxId() {
      return recorded.sandboxId();
    }
  }

  private Optional<Folded> next(
      ConsumerRecord<byte[], byte[]> record, String key, Recorded recorded) {
    String id = recorded.sandboxId();
    if (!key.equals(id)) {
      found(record, key, "is an event of sandbox " + id);
    }
    if (broken.contains(id)) {
      return Optional.empty();
    }
    String which = "%s version=%d".formatted(id, recorded.event().header().version());
    Sandbox after;
    try {
      after = Evolution.evolve(states.getOrDefault(id, new Sandbox.Absent()), recorded.event());
    } catch (IllegalStateException e) {
      broken.add(id);
      found(record, which, e.getMessage());
      return Optional.empty();
    }
    states.put(id, after);
    EventReader.Told told = EventWriter.told(after);
    if (!told.equals(recorded.told())) {
      found(
          record, which, "tells %s, but its history leads to %s".formatted(recorded.told(), told));
    }
    return Optional.of(new Folded(recorded, after));
  }

  /** The state that the events so far led to. */
  Map<String, Sandbox> states() {
    return states;
  }

  /** Whether the sandbox's history could be folded up to its end. */
  boolean isSound(String id) {
    return !broken.contains(id);
  }

  private void found(ConsumerRecord<byte[], byte[]> record, String which, String what) {
    findings.accept(
        new Finding(
            "%s-%d@%d sandbox=%s"
                .formatted(Topic.EVENTS.topicName(), record.partition(), record.offset(), which),
            what));
  }
}
