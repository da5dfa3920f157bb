package io.sandglass.engine.usage;

import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.SuspendReason;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Folds a sandbox's events into intervals. What is charged follows the public status: running,
 * suspended at the depth that was asked for or reached, and nothing while it is created or after
 * its end was decided; {@code docs/usage.md} has the table.
 *
 * <p>When an hour was told and it turns out later that the sandbox was gone before, the hour's
 * piece is taken back and a shorter one told.
 */
public final class Metering {

  /**
   * What an event or an hour's end led to.
   *
   * @param meter empty when the sandbox is over
   * @param intervals in the order of time, a reversal before what replaces it
   */
  public record Step(Optional<Meter> meter, List<Interval> intervals) {
    public Step {
      intervals = List.copyOf(intervals);
    }
  }

  private Metering() {}

  /**
   * After the next event of a sandbox.
   *
   * @param before empty before the first event
   * @throws IllegalStateException when the event can't be the next one: the log is broken
   */
  public static Step after(String sandboxId, Optional<Meter> before, Event event) {
    // Of an organization, and after the end, there is no meter.
    if (event.fact() instanceof Fact.RequestRefused) {
      return new Step(before, List.of());
    }
    if (event.fact() instanceof Fact.SandboxRequested asked) {
      if (before.isPresent()) {
        throw new IllegalStateException("Sandbox " + sandboxId + " was asked for twice");
      }
      return quiet(
          new Meter(
              new Subject(
                  sandboxId, event.header().org(), asked.spec().template(), asked.spec().size()),
              asked.node(),
              asked.expiresAt(),
              false,
              Optional.empty()));
    }
    return before
        .map(meter -> next(meter, event))
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "Sandbox %s has %s without having been asked for, or after its end"
                        .formatted(sandboxId, event.fact())));
  }

  private static Step next(Meter meter, Event event) {
    Instant at = event.header().at();
    return switch (event.fact()) {
      case Fact.SandboxRequested _ -> throw new IllegalStateException("asked for twice");
      case Fact.PlacementChanged moved -> quiet(meter.on(moved.node()));
      case Fact.TimeoutExtended extended -> quiet(meter.expiringAt(extended.expiresAt()));
      case Fact.SandboxStarted _, Fact.SandboxResumed _ -> use(meter, Use.RUNNING, at, event);
      case Fact.SuspendRequested asked when asked.attempt() > 1 -> quiet(meter);
      case Fact.SuspendRequested asked -> {
        boolean awake =
            asked.reason() == SuspendReason.NODE_RETURNED
                || meter.running().filter(charge -> charge.use() == Use.RUNNING).isPresent();
        // Asleep it stays what it is until it has fallen deeper.
        yield awake
            ? use(meter.awake(true), Use.asleep(asked.depth()), at, event)
            : quiet(meter.awake(false));
      }
      case Fact.SandboxSuspended(var depth, var _, Optional<Instant> aliveUntil) ->
          use(meter, Use.asleep(depth), earlier(aliveUntil, at), event);
      case Fact.SuspendFailed _ ->
          meter.awake() ? use(meter, Use.RUNNING, at, event) : quiet(meter);
      case Fact.ResumeRequested asked -> use(meter, Use.asleep(asked.depth()), at, event);
      // An expiry counts from when it was due, however late that was noticed.
      case Fact.StopRequested asked ->
          end(
              meter,
              asked.reason() == EndReason.EXPIRED ? earlier(event.header().dueAt(), at) : at);
      case Fact.SandboxEnded(var _, var _, Optional<Instant> aliveUntil) ->
          new Step(Optional.empty(), end(meter, earlier(aliveUntil, at)).intervals());
      case Fact.ResumeFailed _,
          Fact.ActivityRecorded _,
          Fact.EgressChanged _,
          Fact.ExecutionStarted _,
          Fact.ExecutionFinished _,
          Fact.RequestRefused _ ->
          quiet(meter);
    };
  }

  /** Whether an event can change what is charged, or what is known for it. */
  public static boolean concerns(Fact fact) {
    return switch (fact) {
      case Fact.ResumeFailed _,
          Fact.ActivityRecorded _,
          Fact.EgressChanged _,
          Fact.ExecutionStarted _,
          Fact.ExecutionFinished _,
          Fact.RequestRefused _ ->
          false;
      case Fact.SandboxRequested _,
          Fact.PlacementChanged _,
          Fact.TimeoutExtended _,
          Fact.SandboxStarted _,
          Fact.SandboxResumed _,
          Fact.SuspendRequested _,
          Fact.SandboxSuspended _,
          Fact.SuspendFailed _,
          Fact.ResumeRequested _,
          Fact.StopRequested _,
          Fact.SandboxEnded _ ->
          true;
    };
  }

  /**
   * Closes the full hours that a use has certainly lasted.
   *
   * @param certain up to when, see {@link #certain}
   */
  public static Step closeHours(Meter meter, Instant certain) {
    Instant hour = certain.truncatedTo(ChronoUnit.HOURS);
    return meter
        .running()
        .filter(charge -> hour.isAfter(charge.closed()))
        .map(
            charge ->
                new Step(
                    Optional.of(
                        meter.charging(
                            Optional.of(
                                new Meter.Charge(
                                    charge.use(), charge.openedBy(), charge.since(), hour)))),
                    Interval.pieces(
                        meter.subject(), charge.use(), charge.openedBy(), charge.closed(), hour)))
        .orElseGet(() -> quiet(meter));
  }

  /**
   * Up to when no event that is still to come changes what is charged for a sandbox, knowing all
   * events up to {@code now}: until an end that may be due, and until its node was last heard of,
   * but never before the last change.
   *
   * @param lastHeard when the sandbox's node was last heard of
   */
  public static Instant certain(Meter meter, Instant now, Instant lastHeard) {
    return meter
        .running()
        .map(
            charge -> {
              Instant alive = earlier(meter.expiresAt(), now);
              // A sandbox whose files alone are kept outlives the silence of its node.
              return charge.use() == Use.STOPPED ? alive : earlier(Optional.of(lastHeard), alive);
            })
        .map(certain -> notBefore(meter, certain))
        .orElse(now);
  }

  private static Step quiet(Meter meter) {
    return new Step(Optional.of(meter), List.of());
  }

  private static Step use(Meter meter, Use next, Instant at, Event event) {
    if (meter.running().filter(charge -> charge.use() == next).isPresent()) {
      return quiet(meter);
    }
    Step ended = end(meter, at);
    Instant since = notBefore(meter, at);
    return new Step(
        Optional.of(
            meter.charging(
                Optional.of(new Meter.Charge(next, event.header().version(), since, since)))),
        ended.intervals());
  }

  /** Nothing is charged from {@code at} on. */
  private static Step end(Meter meter, Instant at) {
    List<Interval> intervals =
        meter
            .running()
            .map(charge -> settle(meter.subject(), charge, notBefore(meter, at)))
            .orElse(List.of());
    return new Step(Optional.of(meter.charging(Optional.empty())), intervals);
  }

  /**
   * The engine's clock may step back, and a node be lost before the last it said: time does not.
   */
  private static Instant notBefore(Meter meter, Instant at) {
    return meter.running().map(Meter.Charge::since).filter(at::isBefore).orElse(at);
  }

  private static List<Interval> settle(Subject subject, Meter.Charge charge, Instant end) {
    if (!end.isBefore(charge.closed())) {
      return Interval.pieces(subject, charge.use(), charge.openedBy(), charge.closed(), end);
    }
    List<Interval> corrections = new ArrayList<>();
    for (Interval told :
        Interval.pieces(
            subject, charge.use(), charge.openedBy(), charge.since(), charge.closed())) {
      if (told.to().isAfter(end)) {
        corrections.add(told.reversed());
      }
      if (told.to().isAfter(end) && told.from().isBefore(end)) {
        corrections.add(told.until(end));
      }
    }
    return corrections;
  }

  private static Instant earlier(Optional<Instant> one, Instant other) {
    return one.filter(time -> time.isBefore(other)).orElse(other);
  }
}
