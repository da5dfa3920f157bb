package io.sandglass.engine.replay;

import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.usage.Metering;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.UsageRecords;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Compares what {@code sandbox.usage} tells with what follows from the events: every interval, by
 * its id and all it says. First everything that is told, then every event, then {@link #finish}.
 */
final class UsageCheck {
  private final Consumer<Finding> findings;
  private final Map<String, UsageRecords.Told.Piece> told = new LinkedHashMap<>();
  private final Set<String> reversals = new HashSet<>();
  private final Map<Integer, Instant> complete = new HashMap<>();
  private final Map<String, Meter> meters = new HashMap<>();
  private int partitions = Integer.MAX_VALUE;
  private Instant lastTold = Instant.EPOCH;
  private long compared;

  UsageCheck(Consumer<Finding> findings) {
    this.findings = findings;
  }

  /** The next record of {@code sandbox.usage}. */
  void told(String where, byte[] value) {
    switch (UsageRecords.read(value)) {
      case UsageRecords.Told.Unreadable(String reason) ->
          findings.accept(new Finding(where, "not understood: " + reason));
      case UsageRecords.Told.Complete(int partition, int all, Instant through) -> {
        partitions = all;
        complete.merge(partition, through, (one, other) -> one.isAfter(other) ? one : other);
      }
      case UsageRecords.Told.Piece piece -> {
        if (piece.reverses().isPresent()) {
          reverse(where, piece);
        } else {
          note(where, piece);
        }
      }
    }
  }

  /** Told again, by a computation that began anew, it has to be the same. */
  private void note(String where, UsageRecords.Told.Piece piece) {
    UsageRecords.Told.Piece before = told.putIfAbsent(piece.id(), piece);
    if (before != null && !before.equals(piece)) {
      findings.accept(
          new Finding(where, "interval " + piece.id() + " is told again, as something else"));
    }
    lastTold = piece.to().isAfter(lastTold) ? piece.to() : lastTold;
  }

  private void reverse(String where, UsageRecords.Told.Piece reversal) {
    UsageRecords.Told.Piece piece = told.get(reversal.reverses().get());
    if (piece == null || piece.millis() != -reversal.millis()) {
      findings.accept(
          new Finding(where, "reversal " + reversal.id() + " takes back what was not told"));
      return;
    }
    reversals.add(piece.id());
  }

  /** The next event of its sandbox. */
  void event(String where, byte[] value) {
    switch (EventReader.read(value)) {
      case EventReader.Reading.Unreadable(String reason) ->
          findings.accept(new Finding(where, "not understood: " + reason));
      case EventReader.Reading.Read(EventReader.Recorded recorded) -> fold(where, recorded);
    }
  }

  private void fold(String where, EventReader.Recorded recorded) {
    if (!Metering.concerns(recorded.event().fact())) {
      return;
    }
    String id = recorded.sandboxId();
    try {
      Metering.Step step =
          Metering.after(id, Optional.ofNullable(meters.get(id)), recorded.event());
      step.meter().ifPresentOrElse(meter -> meters.put(id, meter), () -> meters.remove(id));
      step.intervals().forEach(this::compare);
    } catch (IllegalStateException e) {
      findings.accept(new Finding(where, e.getMessage()));
    }
  }

  /** How much was compared, and up to when all of it had to be told. */
  record Extent(long intervals, Instant completeThrough) {}

  Extent finish() {
    for (Meter meter : meters.values()) {
      Metering.closeHours(meter, lastTold).intervals().forEach(this::compare);
    }
    told.values().stream()
        .filter(piece -> !reversals.contains(piece.id()))
        .filter(piece -> !piece.to().isAfter(completeThrough()))
        .forEach(
            piece ->
                findings.accept(
                    new Finding(
                        "usage " + piece.id(),
                        "no event tells of this interval: " + piece.text())));
    return new Extent(compared, completeThrough());
  }

  private void compare(Interval expected) {
    compared++;
    UsageRecords.Told.Piece follows = UsageRecords.piece(expected);
    UsageRecords.Told.Piece piece =
        reversals.contains(follows.id()) ? null : told.remove(follows.id());
    if (piece == null) {
      // The application may be a moment behind; what is complete it has told.
      if (!follows.to().isAfter(completeThrough())) {
        findings.accept(
            new Finding("usage " + follows.id(), "the interval is missing: " + follows.text()));
      }
    } else if (!piece.equals(follows)) {
      findings.accept(
          new Finding(
              "usage " + follows.id(),
              "is " + piece.text() + ", but from the events follows " + follows.text()));
    }
  }

  private Instant completeThrough() {
    return complete.size() < partitions
        ? Instant.EPOCH
        : complete.values().stream().min(Instant::compareTo).orElse(Instant.EPOCH);
  }
}
