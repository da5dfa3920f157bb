package io.sandglass.engine.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Histories;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.usage.Metering;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.engine.wire.UsageRecords;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.WireFormat;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Usage that agrees with the log, and usage that was tampered with. */
class UsageCheckTest {
  private static final int SANDBOXES = 300;
  private static final Instant COMPLETE = Instant.parse("2036-01-01T00:00:00Z");

  private final List<byte[]> events = new ArrayList<>();
  private final List<byte[]> usage = new ArrayList<>();

  @BeforeEach
  void live() {
    Random random = new Random(3);
    for (int i = 0; i < SANDBOXES; i++) {
      String id = "sbx_" + i;
      Sandbox state = new Sandbox.Absent();
      Optional<Meter> meter = Optional.empty();
      for (Event event : Histories.random(i)) {
        state = Evolution.evolve(state, event);
        events.add(WireFormat.encode(EventWriter.write(id, event, state)));
        // Hours are told while it goes on, now and then too soon.
        if (meter.isPresent() && random.nextInt(3) == 0) {
          Metering.Step hours =
              Metering.closeHours(
                  meter.get(), event.header().at().plusSeconds(random.nextInt(9_000) - 5_400L));
          tell(hours);
          meter = hours.meter();
        }
        Metering.Step step = Metering.after(id, meter, event);
        tell(step);
        meter = step.meter();
      }
    }
    usage.add(WireFormat.encode(UsageRecords.watermark(0, 1, COMPLETE)));
  }

  private void tell(Metering.Step step) {
    for (Interval interval : step.intervals()) {
      usage.add(WireFormat.encode(UsageRecords.write(interval)));
    }
  }

  private List<String> check() {
    List<String> found = new ArrayList<>();
    UsageCheck check = new UsageCheck((Finding finding) -> found.add(finding.toString()));
    usage.forEach(value -> check.told("usage", value));
    events.forEach(value -> check.event("event", value));
    UsageCheck.Extent extent = check.finish();
    assertThat(extent.intervals()).isGreaterThan(SANDBOXES);
    assertThat(extent.completeThrough()).isEqualTo(COMPLETE);
    return found;
  }

  @Test
  void whatWasToldAgrees() {
    assertThat(usage.stream().map(UsageCheckTest::interval))
        .anyMatch(interval -> interval.isPresent() && interval.get().getReverses() != null);
    assertThat(check()).isEmpty();
  }

  @Test
  void toldTwiceItAgreesAsWell() {
    usage.addAll(List.copyOf(usage));
    assertThat(check()).isEmpty();
  }

  @Test
  void anEditedIntervalIsNamed() {
    int place = netPlace();
    UsageInterval interval = interval(usage.get(place)).orElseThrow();
    usage.set(
        place,
        WireFormat.encode(
            UsageInterval.newBuilder(interval)
                .setDurationMs(interval.getDurationMs() - 1)
                .build()));

    assertThat(check())
        .singleElement()
        .asString()
        .contains(interval.getIntervalId(), "but from the events follows");
  }

  @Test
  void aMissingIntervalIsNamed() {
    UsageInterval interval = interval(usage.remove(netPlace())).orElseThrow();

    assertThat(check())
        .singleElement()
        .asString()
        .contains(interval.getIntervalId(), "the interval is missing");
  }

  @Test
  void aForgedIntervalIsNamed() {
    UsageInterval interval = interval(usage.get(netPlace())).orElseThrow();
    String forged = "00000000-0000-5000-8000-000000000000";
    usage.add(WireFormat.encode(UsageInterval.newBuilder(interval).setIntervalId(forged).build()));

    assertThat(check())
        .singleElement()
        .asString()
        .contains(forged, "no event tells of this interval");
  }

  @Test
  void aDroppedEventIsNoticed() {
    events.remove(events.size() / 2);
    // It may have been one that concerns no usage.
    int before = events.size();
    while (check().isEmpty()) {
      events.remove(events.size() / 2);
    }
    assertThat(before - events.size()).isLessThan(50);
  }

  @Test
  void whatCanNotBeReadIsNamed() {
    usage.set(0, new byte[] {1, 2, 3});
    assertThat(check()).anyMatch(finding -> finding.contains("not understood"));
  }

  /** Of an interval that is not taken back. */
  private int netPlace() {
    List<String> reversed =
        usage.stream()
            .flatMap(value -> interval(value).stream())
            .map(UsageInterval::getReverses)
            .toList();
    for (int place = usage.size() / 2; place < usage.size(); place++) {
      Optional<UsageInterval> interval = interval(usage.get(place));
      if (interval.isPresent()
          && interval.get().getReverses() == null
          && !reversed.contains(interval.get().getIntervalId())) {
        return place;
      }
    }
    throw new AssertionError("No interval");
  }

  private static Optional<UsageInterval> interval(byte[] value) {
    return WireFormat.decode(value) instanceof Decoded.Known(UsageInterval interval)
        ? Optional.of(interval)
        : Optional.empty();
  }
}
