package io.sandglass.engine.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.engine.lifecycle.Depth;
import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.SuspendReason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is charged, by examples with the clock on the wall. */
class MeteringTest {
  private final List<String> told = new ArrayList<>();
  private Optional<Meter> meter = Optional.empty();
  private long version;

  @Test
  void fromStartedToTheDecisionToStop() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:01", new Fact.SandboxStarted(false));
    happens("10:20", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));
    happens("10:40", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 2));
    happens("10:41", new Fact.SandboxEnded(EndReason.REQUESTED, "gone", Optional.empty()));

    assertThat(told).containsExactly("RUNNING 10:01-10:20");
    assertThat(meter).isEmpty();
  }

  @Test
  void whatNeverStartsCostsNothing() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:02", new Fact.StopRequested(EndReason.START_FAILED, "too slow", 1));
    happens("10:03", new Fact.SandboxEnded(EndReason.START_FAILED, "gone", Optional.empty()));

    assertThat(told).isEmpty();
  }

  @Test
  void anExpiryCountsFromWhenItWasDue() {
    happens("10:00", Examples.requested(Optional.of(time("10:30"))));
    happens("10:01", new Fact.SandboxStarted(false));
    happens("13:00", time("10:30"), new Fact.StopRequested(EndReason.EXPIRED, "its time", 1));

    assertThat(told).containsExactly("RUNNING 10:01-10:30");
  }

  @Test
  void asleepItIsChargedForWhatIsKept() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:00", new Fact.SandboxStarted(false));
    happens("10:10", new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.IDLE, 1));
    happens("10:11", new Fact.SandboxSuspended(Depth.FROZEN, SuspendReason.IDLE, Optional.empty()));
    happens("10:21", new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 1));
    happens(
        "10:22", new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.MEMORY, Optional.empty()));
    happens("12:30", new Fact.ResumeRequested(Depth.STOPPED, 1));
    happens("12:31", new Fact.SandboxResumed());
    happens("12:45", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(told)
        .containsExactly(
            "RUNNING 10:00-10:10",
            "FROZEN 10:10-10:22",
            "STOPPED 10:22-11:00",
            "STOPPED 11:00-12:00",
            "STOPPED 12:00-12:31",
            "RUNNING 12:31-12:45");
  }

  @Test
  void aSuspendThatFailsLeavesItAsItWas() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:00", new Fact.SandboxStarted(false));
    happens("10:10", new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.REQUESTED, 1));
    happens("10:12", new Fact.SuspendFailed("no"));
    happens("10:20", new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.REQUESTED, 1));
    happens("10:20", new Fact.SandboxSuspended(Depth.FROZEN, SuspendReason.IDLE, Optional.empty()));
    happens("10:30", new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 1));
    happens("10:30", new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 2));
    happens("10:40", new Fact.SuspendFailed("no"));
    happens("10:50", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(told)
        .containsExactly(
            "RUNNING 10:00-10:10",
            "FROZEN 10:10-10:12",
            "RUNNING 10:12-10:20",
            "FROZEN 10:20-10:50");
  }

  @Test
  void aLostNodeIsChargedToItsLastProofOfLife() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:00", new Fact.SandboxStarted(false));
    happens(
        "10:30",
        new Fact.SandboxSuspended(
            Depth.STOPPED, SuspendReason.NODE_LOST, Optional.of(time("10:20"))));
    happens("10:50", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(told).containsExactly("RUNNING 10:00-10:20", "STOPPED 10:20-10:50");
  }

  @Test
  void anHourThatWasToldTooSoonIsTakenBackAndToldAnew() {
    happens("10:30", Examples.requested(Optional.empty()));
    happens("10:30", new Fact.SandboxStarted(false));
    hours("13:05");
    assertThat(told)
        .containsExactly("RUNNING 10:30-11:00", "RUNNING 11:00-12:00", "RUNNING 12:00-13:00");
    told.clear();
    happens(
        "13:10", new Fact.SandboxEnded(EndReason.NODE_LOST, "silent", Optional.of(time("11:40"))));

    assertThat(told)
        .containsExactly(
            "not RUNNING 11:00-12:00", "RUNNING 11:00-11:40", "not RUNNING 12:00-13:00");
  }

  @Test
  void aClockThatStepsBackChargesNothingTwice() {
    happens("10:00", Examples.requested(Optional.empty()));
    happens("10:30", new Fact.SandboxStarted(false));
    happens("10:20", new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.IDLE, 1));
    happens("10:40", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(told).containsExactly("FROZEN 10:30-10:40");
  }

  @Test
  void hoursAreClosedOnce() {
    happens("10:00", Examples.requested(Optional.empty()));
    hours("12:00");
    happens("12:15", new Fact.SandboxStarted(false));
    hours("12:59");
    hours("13:00");
    hours("13:30");
    hours("12:30");
    happens("14:00", new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(told).containsExactly("RUNNING 12:15-13:00", "RUNNING 13:00-14:00");
  }

  @Test
  void whatIsCertainEndsWhereAnEndMayHaveBeen() {
    happens("10:00", Examples.requested(Optional.of(time("11:00"))));
    assertThat(certain("12:00", "10:05")).isEqualTo(time("12:00"));
    happens("10:10", new Fact.SandboxStarted(false));
    assertThat(certain("10:30", "10:29")).isEqualTo(time("10:29"));
    assertThat(certain("12:00", "11:59")).isEqualTo(time("11:00"));
    assertThat(certain("12:00", "10:05")).isEqualTo(time("10:10"));
    happens("10:50", new Fact.TimeoutExtended(time("13:00")));
    assertThat(certain("12:00", "11:59")).isEqualTo(time("11:59"));
    happens(
        "12:10", new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.EXITED, Optional.empty()));
    assertThat(certain("12:50", "12:20")).isEqualTo(time("12:50"));
  }

  @Test
  void aBrokenHistoryIsNotGuessedAt() {
    assertThatThrownBy(() -> happens("10:00", new Fact.SandboxStarted(false)))
        .isInstanceOf(IllegalStateException.class);
    happens("10:00", Examples.requested(Optional.empty()));
    assertThatThrownBy(() -> happens("10:00", Examples.requested(Optional.empty())))
        .isInstanceOf(IllegalStateException.class);
  }

  /** The values are those of Python's {@code uuid.uuid5}. */
  @Test
  void idsAreOfVersionFive() {
    assertThat(IntervalIds.of("sbx_1/2/0/1000"))
        .isEqualTo(UUID.fromString("297613f8-5aac-577a-b05e-de6394706c76"));
    assertThat(IntervalIds.of(""))
        .isEqualTo(UUID.fromString("4f7f578d-bd3b-5fac-8dc3-6463e0f03dba"));
  }

  private void happens(String at, Fact fact) {
    happens(at, null, fact);
  }

  private void happens(String at, Instant dueAt, Fact fact) {
    note(
        Metering.after(
            "sbx_1", meter, Examples.event(++version, time(at), Optional.ofNullable(dueAt), fact)));
  }

  private void hours(String certain) {
    note(Metering.closeHours(meter.orElseThrow(), time(certain)));
  }

  private Instant certain(String now, String lastHeard) {
    return Metering.certain(meter.orElseThrow(), time(now), time(lastHeard));
  }

  private void note(Metering.Step step) {
    meter = step.meter();
    for (Interval interval : step.intervals()) {
      told.add(
          "%s%s %s-%s"
              .formatted(
                  interval.reversal() ? "not " : "",
                  interval.use(),
                  interval.from().toString().substring(11, 16),
                  interval.to().toString().substring(11, 16)));
    }
  }

  private static Instant time(String clock) {
    return Instant.parse("2026-11-25T" + clock + ":00Z");
  }
}
