package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.sandbox.LifeDirectories.Mark;
import io.sandglass.executor.sandbox.Resident.Phase;

/** Puts a sandbox to sleep and wakes it. */
final class Suspension {
  private static final Report.Content VANISHED =
      new Report.Gone("its container was removed by somebody else");

  private final Holdings holdings;
  private final NodeSettings settings;

  Suspension(Holdings holdings, NodeSettings settings) {
    this.holdings = holdings;
    this.settings = settings;
  }

  Report.Content suspend(Resident resident, Depth depth, Preemption preemption) {
    Life life = resident.life();
    if (!resident.beginSuspending()) {
      return new Report.SuspendFailed("an execution is in flight");
    }
    Phase before = resident.phase();
    try {
      return switch (depth) {
        case FROZEN -> freeze(resident, preemption);
        case STOPPED -> stop(resident, preemption);
      };
    } catch (RuntimeRefusedException e) {
      if (resident.phase() == Phase.SUSPENDING) {
        holdings.directories.unset(life, Mark.STOPPED);
        if (resident.channel().isEmpty()) {
          holdings.connect(resident);
        }
        resident.enter(Phase.RUNNING);
      }
      return new Report.SuspendFailed(life + " stays " + before + ": " + e.getMessage());
    }
  }

  private Report.Content freeze(Resident resident, Preemption preemption) {
    Life life = resident.life();
    if (resident.phase() == Phase.STOPPED) {
      return new Report.Suspended(Depth.STOPPED); // deeper than asked; redelivered
    }
    Change change =
        settings
            .backoff()
            .insist("freeze " + life, preemption, () -> holdings.runtime.freeze(life));
    return switch (change) {
      case DONE -> {
        resident.enter(Phase.FROZEN);
        yield new Report.Suspended(Depth.FROZEN);
      }
      case MISSING -> ended(resident, preemption);
    };
  }

  private Report.Content stop(Resident resident, Preemption preemption) {
    Life life = resident.life();
    // Before it ends, so that nobody takes the end for one of its own.
    holdings.directories.set(life, Mark.STOPPED);
    resident.disconnect();
    Change change =
        settings
            .backoff()
            .insist(
                "stop " + life,
                preemption,
                () -> holdings.runtime.stop(life, settings.stopGrace()));
    if (change == Change.MISSING) {
      return ended(resident, preemption);
    }
    resident.enter(Phase.STOPPED);
    return new Report.Suspended(Depth.STOPPED);
  }

  Report.Content resume(Resident resident, Preemption preemption) {
    Life life = resident.life();
    try {
      Change change = settings.backoff().insist("resume " + life, preemption, () -> wake(resident));
      if (change == Change.MISSING) {
        return ended(resident, preemption);
      }
      if (!holdings.guestAnswers(resident, settings.guestPatience(), preemption)) {
        settings.backoff().insist("put back " + life, preemption, () -> putBack(resident));
        return new Report.ResumeFailed("its guest does not answer");
      }
    } catch (RuntimeRefusedException e) {
      return new Report.ResumeFailed(e.getMessage());
    }
    holdings.directories.unset(life, Mark.STOPPED);
    resident.enter(Phase.RUNNING);
    return new Report.Resumed();
  }

  /** As it slept before, so that the log stays right about it. */
  private Change putBack(Resident resident) {
    return switch (resident.phase()) {
      case FROZEN -> holdings.runtime.freeze(resident.life());
      case STOPPED, UNVERIFIED, STARTING -> {
        resident.disconnect();
        yield holdings.runtime.stop(resident.life(), settings.stopGrace());
      }
      case RUNNING, SUSPENDING -> Change.DONE;
    };
  }

  private Change wake(Resident resident) {
    return switch (resident.phase()) {
      // One that ended in its sleep has lost its memory: the log hears so, and has it woken from
      // what it kept on disk.
      case FROZEN -> holdings.runtime.thaw(resident.life());
      case STOPPED, UNVERIFIED, STARTING -> start(resident);
      case RUNNING, SUSPENDING -> Change.DONE;
    };
  }

  private Change start(Resident resident) {
    holdings.connect(resident);
    return holdings.runtime.start(resident.life());
  }

  /** It was not there to be changed: gone, or ended by itself meanwhile. */
  private Report.Content ended(Resident resident, Preemption preemption) {
    Life life = resident.life();
    return settings
        .backoff()
        .insist(
            "look for " + life,
            preemption,
            () ->
                holdings
                    .runtime
                    .find(life)
                    .flatMap(FoundContainer::exit)
                    .<Report.Content>map(
                        exit -> {
                          resident.disconnect();
                          holdings.directories.set(life, Mark.STOPPED);
                          resident.enter(Phase.STOPPED);
                          return new Report.Exited(exit, "its first process ended by itself");
                        })
                    .orElseGet(
                        () -> {
                          holdings.clear(life);
                          return VANISHED;
                        }));
  }
}
