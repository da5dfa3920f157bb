package io.sandglass.engine.replay;

import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.lifecycle.Deadline;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.stream.Changelogs;
import io.sandglass.engine.wire.StateCodec;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Folds the whole log and compares it with what the engine's stores hold: every sandbox's state,
 * and everything that is due. The engine may be at work meanwhile.
 */
public final class LogVerification {
  private static final String EVENTS = Topic.EVENTS.topicName();

  private final Log log;
  private final String sandboxes;
  private final String deadlines;
  private final Consumer<Finding> findings;
  private final Runnable progress;

  /**
   * @param applicationId the engine's
   * @param progress run for every event that was read
   */
  public LogVerification(
      Log log, String applicationId, Consumer<Finding> findings, Runnable progress) {
    this.log = log;
    this.sandboxes = Changelogs.sandboxes(applicationId);
    this.deadlines = Changelogs.deadlines(applicationId);
    this.findings = findings;
    this.progress = progress;
  }

  /** What was compared. */
  public record Extent(long events, long sandboxes) {
    Extent plus(Extent other) {
      return new Extent(events + other.events, sandboxes + other.sandboxes);
    }
  }

  public Extent run() {
    Extent extent = new Extent(0, 0);
    for (int partition = 0; partition < log.partitions(EVENTS); partition++) {
      Collection<Finding> found = new LinkedHashSet<>();
      extent = extent.plus(partition(partition, found::add, progress));
      if (!found.isEmpty()) {
        // A transaction becomes visible in one topic before it does in another. What is really
        // different still is a moment later.
        Set<Finding> again = new HashSet<>();
        partition(partition, again::add, () -> {});
        found.retainAll(again);
      }
      found.forEach(findings);
    }
    return extent;
  }

  private Extent partition(int partition, Consumer<Finding> found, Runnable step) {
    // The stores first, the events after them: so the events tell of every state in the stores.
    Map<String, Sandbox> stored = new HashMap<>();
    long storesEnd = log.end(sandboxes, partition);
    log.read(sandboxes, partition, storesEnd, record -> keep(stored, record));
    Map<String, Set<Deadline>> due = new HashMap<>();
    log.read(deadlines, partition, log.end(deadlines, partition), record -> keepDue(due, record));

    Fold fold = new Fold(found);
    Set<String> compared = new HashSet<>();
    long[] events = {0};
    log.read(
        EVENTS,
        partition,
        log.end(EVENTS, partition),
        record -> {
          fold.next(record).ifPresent(folded -> compare(folded, stored, compared, found));
          events[0]++;
          step.run();
        });

    // And what the stores have learned meanwhile.
    Map<String, Sandbox> changed = new HashMap<>();
    log.read(
        sandboxes,
        partition,
        Math.max(storesEnd, log.beginning(sandboxes, partition)),
        log.end(sandboxes, partition),
        record -> keep(changed, record));
    compareEnds(fold, stored, changed, compared, found);
    compareDeadlines(stored, changed, due, found);
    return new Extent(
        events[0],
        fold.states().values().stream()
            .filter(state -> !(state instanceof Sandbox.Absent))
            .count());
  }

  private static void keep(Map<String, Sandbox> states, ConsumerRecord<byte[], byte[]> record) {
    String id = new String(record.key(), StandardCharsets.UTF_8);
    if (record.value() == null) {
      states.remove(id);
    } else {
      states.put(id, StateCodec.decodeKept(record.value()).sandbox());
    }
  }

  private static void keepDue(
      Map<String, Set<Deadline>> due, ConsumerRecord<byte[], byte[]> record) {
    Changelogs.Due entry = Changelogs.due(record.key());
    Set<Deadline> all = due.computeIfAbsent(entry.sandboxId(), _ -> new HashSet<>());
    if (record.value() == null) {
      all.remove(entry.deadline());
    } else {
      all.add(entry.deadline());
    }
  }

  /** When the fold passes the version that the store has. */
  private static void compare(
      Fold.Folded folded,
      Map<String, Sandbox> stored,
      Set<String> compared,
      Consumer<Finding> found) {
    Sandbox other = stored.get(folded.sandboxId());
    if (other == null || other.version() != folded.after().version()) {
      return;
    }
    compared.add(folded.sandboxId());
    if (!other.equals(folded.after())) {
      found.accept(
          store(
              folded.sandboxId(),
              other.version(),
              "the store has %s, but the events lead to %s".formatted(other, folded.after())));
    }
  }

  private static void compareEnds(
      Fold fold,
      Map<String, Sandbox> stored,
      Map<String, Sandbox> changed,
      Set<String> compared,
      Consumer<Finding> found) {
    stored.forEach(
        (id, state) -> {
          if (!compared.contains(id) && fold.isSound(id)) {
            long told = fold.states().getOrDefault(id, new Sandbox.Absent()).version();
            found.accept(
                store(
                    id,
                    state.version(),
                    "the store has it, but the events end with version %d: events are missing"
                        .formatted(told)));
          }
        });
    fold.states()
        .forEach(
            (id, state) -> {
              Sandbox newest = changed.getOrDefault(id, stored.get(id));
              long version = newest == null ? 0 : newest.version();
              if (version < state.version()) {
                found.accept(
                    store(
                        id,
                        version,
                        "the events go on to version %d, of which the store knows nothing: forged"
                            .formatted(state.version())));
              }
            });
  }

  private static void compareDeadlines(
      Map<String, Sandbox> stored,
      Map<String, Sandbox> changed,
      Map<String, Set<Deadline>> due,
      Consumer<Finding> found) {
    Set<String> all = new HashSet<>(due.keySet());
    all.addAll(stored.keySet());
    // What was about to change when it was read proves nothing.
    all.removeAll(changed.keySet());
    for (String id : all) {
      Sandbox state = stored.getOrDefault(id, new Sandbox.Absent());
      Set<Deadline> expected = Set.copyOf(Deadline.of(state));
      Set<Deadline> actual = due.getOrDefault(id, Set.of());
      if (!actual.equals(expected)) {
        found.accept(
            store(
                id,
                state.version(),
                "due is %s, but from its state follows %s"
                    .formatted(sorted(actual), sorted(expected))));
      }
    }
  }

  private static List<Deadline> sorted(Set<Deadline> deadlines) {
    List<Deadline> list = new ArrayList<>(deadlines);
    list.sort(Comparator.comparing(Deadline::due).thenComparing(Deadline::kind));
    return list;
  }

  private static Finding store(String id, long version, String what) {
    return new Finding("engine's store sandbox=%s version=%d".formatted(id, version), what);
  }
}
