package io.sandglass.engine.usage;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A closed piece of a sandbox's time, within one UTC hour.
 *
 * @param openedBy version of the event that began the use: two pieces of the same time differ in it
 * @param reversal whether it takes the piece back instead of charging it
 */
public record Interval(
    Subject subject, Use use, long openedBy, Instant from, Instant to, boolean reversal) {

  /** The pieces of a time: a cut at every full hour. */
  static List<Interval> pieces(Subject subject, Use use, long openedBy, Instant from, Instant to) {
    List<Interval> pieces = new ArrayList<>();
    for (Instant start = from; start.isBefore(to); ) {
      Instant nextHour = start.truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.HOURS);
      Instant end = nextHour.isBefore(to) ? nextHour : to;
      pieces.add(new Interval(subject, use, openedBy, start, end, false));
      start = end;
    }
    return pieces;
  }

  Interval reversed() {
    return new Interval(subject, use, openedBy, from, to, true);
  }

  Interval until(Instant earlier) {
    return new Interval(subject, use, openedBy, from, earlier, false);
  }

  /** Milliseconds to charge: less than none when they are taken back. */
  public long millis() {
    long millis = Duration.between(from, to).toMillis();
    return reversal ? -millis : millis;
  }

  /** Follows from what the piece is, and so is the same however often it is computed. */
  public UUID id() {
    UUID piece =
        IntervalIds.of(
            subject.sandboxId()
                + "/"
                + openedBy
                + "/"
                + from.toEpochMilli()
                + "/"
                + to.toEpochMilli());
    return reversal ? IntervalIds.of(piece + "/reversal") : piece;
  }

  /** Of the piece that this one takes back. */
  public Optional<UUID> reverses() {
    return reversal
        ? Optional.of(new Interval(subject, use, openedBy, from, to, false).id())
        : Optional.empty();
  }
}
