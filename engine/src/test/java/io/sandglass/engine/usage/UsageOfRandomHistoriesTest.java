package io.sandglass.engine.usage;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Histories;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Stage;
import io.sandglass.engine.wire.UsageRecords;
import io.sandglass.schemas.WireFormat;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * New histories at every run, their usage computed twice: by the metering, and from the states that
 * the lifecycle folds. {@code -Dsandglass.histories.seed=} runs one alone.
 */
class UsageOfRandomHistoriesTest {
  private static final int COUNT = Integer.getInteger("sandglass.histories.count", 10_000);
  private static final String ID = "sbx_1";

  @Test
  void notAMillisecondIsMissingOrChargedTwice() {
    Long alone = Long.getLong("sandglass.histories.seed");
    long first = alone == null ? RandomGenerator.getDefault().nextLong() : alone;
    int count = alone == null ? COUNT : 1;
    int charged = 0;
    int corrected = 0;
    for (long seed = first; seed != first + count; seed++) {
      List<Event> log = List.of();
      try {
        log = Histories.random(seed);
        List<Interval> whole = fold(log);
        check(log, whole);
        List<Interval> told = foldWithHours(log, new Random(seed));
        require(net(told).equals(whole), "what is left of corrections is the truth");
        require(new HashSet<>(ids(told)).size() == told.size(), "no id is told twice");
        require(
            Arrays.equals(bytes(foldWithHours(log, new Random(seed))), bytes(told)),
            "two folds are the same, byte for byte");
        charged += whole.isEmpty() ? 0 : 1;
        corrected += told.stream().anyMatch(Interval::reversal) ? 1 : 0;
      } catch (AssertionError | RuntimeException broken) {
        throw new AssertionError(
            "Run it alone with -Dsandglass.histories.seed=" + seed + "; the history is " + log,
            broken);
      }
    }
    if (alone == null) {
      assertThat(charged).as("histories with usage").isGreaterThan(count / 4);
      assertThat(corrected).as("histories with corrections").isGreaterThan(count / 100);
    }
  }

  private static List<Interval> fold(List<Event> log) {
    List<Interval> all = new ArrayList<>();
    Optional<Meter> meter = Optional.empty();
    for (Event event : log) {
      Metering.Step step = Metering.after(ID, meter, event);
      if (!Metering.concerns(event.fact())) {
        require(step.equals(new Metering.Step(meter, List.of())), "it concerns usage");
      }
      meter = step.meter();
      all.addAll(step.intervals());
    }
    require(meter.isEmpty(), "nothing is metered after the end");
    return all;
  }

  /** As it goes while the sandbox lives: hours are closed early, late, and sometimes too soon. */
  private static List<Interval> foldWithHours(List<Event> log, Random random) {
    List<Interval> all = new ArrayList<>();
    Optional<Meter> meter = Optional.empty();
    for (Event event : log) {
      if (meter.isPresent() && random.nextInt(3) > 0) {
        Instant guess = event.header().at().plusSeconds(random.nextInt(9_000) - 5_400L);
        Metering.Step closed = Metering.closeHours(meter.get(), guess);
        all.addAll(closed.intervals());
        meter = closed.meter();
      }
      Metering.Step step = Metering.after(ID, meter, event);
      meter = step.meter();
      all.addAll(step.intervals());
    }
    return all;
  }

  /** What is left when reversals and what they take back are struck out. */
  private static List<Interval> net(List<Interval> told) {
    Map<UUID, Interval> left = new LinkedHashMap<>();
    for (Interval interval : told) {
      if (interval.reversal()) {
        require(
            left.remove(interval.reverses().orElseThrow()) != null, "what was told is reversed");
      } else {
        require(left.put(interval.id(), interval) == null, "told once");
      }
    }
    return left.values().stream()
        .sorted(
            (one, other) ->
                Arrays.compare(
                    new long[] {one.from().toEpochMilli(), one.openedBy()},
                    new long[] {other.from().toEpochMilli(), other.openedBy()}))
        .toList();
  }

  private static List<UUID> ids(List<Interval> intervals) {
    return intervals.stream().map(Interval::id).toList();
  }

  private static byte[] bytes(List<Interval> intervals) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    intervals.forEach(interval -> all.writeBytes(WireFormat.encode(UsageRecords.write(interval))));
    return all.toByteArray();
  }

  private static void check(List<Event> log, List<Interval> intervals) {
    require(
        sums(intervals).equals(expected(log)),
        "expected " + expected(log) + ", got " + sums(intervals));
    Set<UUID> ids = new HashSet<>();
    Instant last = null;
    for (Interval interval : intervals) {
      require(ids.add(interval.id()), "an id is there once");
      require(interval.id().version() == 5, "ids follow from what they are of");
      require(interval.millis() > 0, "no interval is empty");
      Instant hour = interval.from().truncatedTo(ChronoUnit.HOURS);
      require(!interval.to().isAfter(hour.plus(1, ChronoUnit.HOURS)), "an interval is in one hour");
      require(last == null || interval.from().equals(last), "no gap, no overlap");
      last = interval.to();
    }
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new AssertionError("Broken: " + rule);
    }
  }

  private static Map<Use, Long> sums(List<Interval> intervals) {
    Map<Use, Long> sums = new EnumMap<>(Use.class);
    intervals.forEach(interval -> sums.merge(interval.use(), interval.millis(), Long::sum));
    return sums;
  }

  /** By the lifecycle's own states, and a plain rule for when each began to count. */
  private static Map<Use, Long> expected(List<Event> log) {
    Map<Use, Long> sums = new EnumMap<>(Use.class);
    Sandbox state = new Sandbox.Absent();
    Instant clock = Instant.MIN;
    for (Event event : log) {
      Optional<Use> before = use(state);
      state = Evolution.evolve(state, event);
      if (!before.equals(use(state))) {
        Instant counts = counts(event);
        if (before.isPresent() && counts.isAfter(clock)) {
          sums.merge(before.get(), Duration.between(clock, counts).toMillis(), Long::sum);
        }
        clock = counts.isAfter(clock) ? counts : clock;
      }
    }
    return sums;
  }

  private static Instant counts(Event event) {
    Instant at = event.header().at();
    return switch (event.fact()) {
      case Fact.StopRequested stop when stop.reason() == EndReason.EXPIRED ->
          event.header().dueAt().orElse(at);
      case Fact.SandboxSuspended asleep -> min(asleep.aliveUntil().orElse(at), at);
      case Fact.SandboxEnded ended -> min(ended.aliveUntil().orElse(at), at);
      default -> at;
    };
  }

  private static Instant min(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  private static Optional<Use> use(Sandbox sandbox) {
    if (!(sandbox instanceof Sandbox.Live live)) {
      return Optional.empty();
    }
    return switch (live.stage()) {
      case Stage.Starting _, Stage.Stopping _ -> Optional.empty();
      case Stage.Running _ -> Optional.of(Use.RUNNING);
      case Stage.Suspending asked -> Optional.of(Use.asleep(asked.from().orElse(asked.depth())));
      case Stage.Suspended asleep -> Optional.of(Use.asleep(asleep.depth()));
      case Stage.Resuming asked -> Optional.of(Use.asleep(asked.depth()));
    };
  }
}
