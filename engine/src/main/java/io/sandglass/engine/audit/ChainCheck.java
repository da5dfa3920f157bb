package io.sandglass.engine.audit;

import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Follows the chains of all sandboxes of one partition, and its checkpoints. After something is
 * found, it goes on from what the log says there, so that one change is told once, and where it is.
 */
public final class ChainCheck {

  /** Whose event a value says it is, and which. */
  public record Says(String sandboxId, long version) {}

  /**
   * An event as it is in the log.
   *
   * @param after the hash that a history gets with it, from the one it has before
   */
  private record Seen(
      long offset,
      String id,
      long version,
      ChainHash hash,
      UnaryOperator<ChainHash> after,
      Optional<Says> says) {}

  private final int partition;
  private final List<Checkpoint> checkpoints;
  private final Consumer<Finding> findings;
  private final Map<Ledger.Last, Integer> ends = new HashMap<>();
  private final Map<String, Trail> trails = new HashMap<>();

  private long events;
  private ChainHash head = ChainHash.PARTITION;

  /** Index of the checkpoint that is to come. */
  private int next;

  /**
   * @param checkpoints of the partition, those that are believed, oldest first
   */
  public ChainCheck(int partition, List<Checkpoint> checkpoints, Consumer<Finding> findings) {
    this.partition = partition;
    this.checkpoints = checkpoints;
    this.findings = findings;
    for (int i = 0; i < checkpoints.size(); i++) {
      ends.put(checkpoints.get(i).last(), i);
    }
  }

  /** How far a sandbox's chain was followed. */
  private static final class Trail {
    long version;
    ChainHash hash = ChainHash.SANDBOX;
    Optional<Gap> gap = Optional.empty();

    /** Whether its last event stands behind a gap that it may only pretend. */
    boolean doubtful;

    void follow(Seen event) {
      version = event.version();
      hash = event.hash();
      doubtful = false;
    }
  }

  /**
   * Versions that were passed over.
   *
   * @param before the hash that the first of them follows
   * @param offset of the event after them
   */
  private record Gap(long from, long to, ChainHash before, long offset) {}

  /**
   * The next event of the partition.
   *
   * @param header the content of its chain header; empty when there is none
   * @param says what its value says of itself; empty when it can't be read
   */
  public void event(
      long offset, byte[] key, byte[] value, Optional<byte[]> header, Optional<Says> says) {
    String id = new String(key, StandardCharsets.UTF_8);
    Trail trail = trails.computeIfAbsent(id, _ -> new Trail());
    long version = says.map(Says::version).orElse(trail.version + 1);
    Optional<ChainHash> hash = header.flatMap(ChainCheck::hash);
    if (hash.isEmpty()) {
      found(offset, id, version, "has no chain hash: the engine did not write it so");
      return;
    }
    events++;
    head = head.then(hash.get());
    follow(
        new Seen(offset, id, version, hash.get(), before -> before.then(key, value), says), trail);
    checkpoint(offset, id, version);
  }

  private void follow(Seen event, Trail trail) {
    long next = trail.version + 1;
    boolean follows = event.hash().equals(event.after().apply(trail.hash));
    event
        .says()
        .filter(says -> !says.sandboxId().equals(event.id()))
        .ifPresent(says -> found(event, "its value is an event of " + says.sandboxId()));
    if (follows && (event.version() == next || trail.doubtful)) {
      if (event.version() != next) {
        pretended(event, trail);
      }
      if (event.says().isEmpty()) {
        found(event, "can't be read, though its hash is right");
      }
      trail.follow(event);
    } else if (follows) {
      found(event, "its hash is right, but version %d was to come: forged".formatted(next));
      trail.follow(event);
    } else if (event.version() == next) {
      found(event, "its bytes are not those that were hashed: changed, or forged");
      trail.follow(event);
    } else if (event.version() > next) {
      reportGap(event.id(), trail);
      trail.gap = Optional.of(new Gap(next, event.version() - 1, trail.hash, event.offset()));
      trail.follow(event);
      trail.doubtful = true;
    } else {
      repeated(event, trail);
    }
  }

  /** Nothing was missing: the event before this one had its version changed. */
  private void pretended(Seen event, Trail trail) {
    trail.gap.ifPresent(
        gap ->
            found(
                gap.offset(),
                event.id(),
                event.version() - 1,
                "its bytes are not those that were hashed: changed, it says version "
                    + trail.version));
    trail.gap = Optional.empty();
  }

  /** A version that isn't new. */
  private void repeated(Seen event, Trail trail) {
    Optional<Gap> late = trail.gap.filter(gap -> gap.from() == event.version());
    if (late.isPresent()) {
      Gap gap = late.get();
      boolean genuine = event.hash().equals(event.after().apply(gap.before()));
      found(
          event,
          "out of order: version %d is before it, at offset %d%s"
              .formatted(gap.to() + 1, gap.offset(), genuine ? "" : "; and changed"));
      trail.gap =
          gap.from() == gap.to()
              ? Optional.empty()
              : Optional.of(new Gap(gap.from() + 1, gap.to(), event.hash(), gap.offset()));
      return;
    }
    found(
        event,
        event.version() == trail.version && event.hash().equals(trail.hash)
            ? "is there twice"
            : "version %d was there already, now is %d: added, or there twice"
                .formatted(event.version(), trail.version));
  }

  private void checkpoint(long offset, String id, long version) {
    Integer reached = ends.remove(new Ledger.Last(id, version));
    if (reached == null || reached < next) {
      return;
    }
    Checkpoint checkpoint = checkpoints.get(reached);
    for (Checkpoint missed : checkpoints.subList(next, reached)) {
      found(missed, "the event it ends with is not there: " + end(missed));
    }
    if (checkpoint.events() != events) {
      found(
          checkpoint,
          "is signed over %d events up to %s at offset %d, but there are %d: %s"
              .formatted(
                  checkpoint.events(),
                  end(checkpoint),
                  offset,
                  events,
                  events < checkpoint.events() ? "some are missing" : "some were added"));
    } else if (!checkpoint.head().equals(head)) {
      found(
          checkpoint,
          "the %d events up to %s at offset %d are not those it is signed over, or in another order"
              .formatted(events, end(checkpoint), offset));
    }
    // From here on as it was signed, so that what is wrong before is not told again.
    events = checkpoint.events();
    head = checkpoint.head();
    next = reached + 1;
  }

  /** Whether all checkpoints were reached. */
  public boolean isComplete() {
    return next == checkpoints.size();
  }

  /** How many events there were. */
  public long events() {
    return events;
  }

  /** How many of them no checkpoint covers. */
  public long unsigned() {
    return events - (next == 0 ? 0 : checkpoints.get(next - 1).events());
  }

  /** There are no more events. */
  public void end() {
    trails.forEach(this::reportGap);
    if (!isComplete()) {
      Checkpoint last = checkpoints.getLast();
      found(
          last,
          "is signed over %d events up to %s, but the log ends after %d: its end is missing"
              .formatted(last.events(), end(last), events));
    }
  }

  private void reportGap(String id, Trail trail) {
    trail.gap.ifPresent(
        gap ->
            found(
                gap.offset(),
                id,
                gap.to() + 1,
                gap.from() == gap.to()
                    ? "version %d is missing before it".formatted(gap.from())
                    : "versions %d to %d are missing before it".formatted(gap.from(), gap.to())));
    trail.gap = Optional.empty();
  }

  private static Optional<ChainHash> hash(byte[] header) {
    try {
      return Optional.of(ChainHash.of(header));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String end(Checkpoint checkpoint) {
    return "sandbox=%s version=%d"
        .formatted(checkpoint.last().sandboxId(), checkpoint.last().version());
  }

  private void found(Seen event, String what) {
    found(event.offset(), event.id(), event.version(), what);
  }

  private void found(Checkpoint checkpoint, String what) {
    findings.accept(
        new Finding(
            "%s-%d checkpoint %d"
                .formatted(Topic.CHECKPOINTS.topicName(), partition, checkpoint.sequence()),
            what));
  }

  private void found(long offset, String id, long version, String what) {
    findings.accept(
        new Finding(
            "%s-%d@%d sandbox=%s version=%d"
                .formatted(Topic.EVENTS.topicName(), partition, offset, id, version),
            what));
  }
}
