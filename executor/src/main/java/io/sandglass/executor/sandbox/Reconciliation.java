package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Exit;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.LifeDirectories.Mark;
import io.sandglass.executor.sandbox.RelistDiff.Action;
import io.sandglass.executor.sandbox.RelistDiff.Known;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Settles the differences between what is known of one sandbox and what is there, in its lane. */
final class Reconciliation {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciliation.class);

  private final Holdings holdings;
  private final Backoff backoff;
  private final Delivery delivery;
  private final InstantSource clock;
  private final Detached detached;

  Reconciliation(
      Holdings holdings,
      Backoff backoff,
      Delivery delivery,
      InstantSource clock,
      Detached detached) {
    this.holdings = holdings;
    this.backoff = backoff;
    this.delivery = delivery;
    this.clock = clock;
    this.detached = detached;
  }

  void reconcile(String sandboxId, Preemption preemption) {
    List<FoundContainer> found =
        backoff.insist("list " + sandboxId, preemption, () -> holdings.runtime.list(sandboxId));
    Optional<Resident> resident = holdings.residents.get(sandboxId);
    for (Action action : RelistDiff.diff(resident.map(this::known), found)) {
      LOG.info("sandbox={} found {}", sandboxId, action);
      settle(action, preemption);
    }
  }

  Known known(Resident resident) {
    return new Known(
        resident.life(), resident.phase(), holdings.directories.has(resident.life(), Mark.MADE));
  }

  private void settle(Action action, Preemption preemption) {
    switch (action) {
      case Action.Adopt adopt -> adopt(adopt.container(), preemption);
      case Action.Ask ask -> ask(ask.container(), preemption);
      case Action.TellExit tell -> tellExit(tell.life(), preemption);
      case Action.TellGone tell -> {
        tell(
            tell.life(), new Report.Gone("its container was removed by somebody else"), preemption);
        clear(tell.life(), preemption);
      }
      case Action.Forget forget -> clear(forget.life(), preemption);
      case Action.Thaw thaw ->
          backoff.insist(
              "thaw " + thaw.life(), preemption, () -> holdings.runtime.thaw(thaw.life()));
    }
  }

  private void clear(Life life, Preemption preemption) {
    backoff.insist("clear " + life, preemption, () -> holdings.clear(life));
  }

  private void adopt(FoundContainer listed, Preemption preemption) {
    Life life = listed.life();
    Optional<FoundContainer> found =
        backoff.insist("find " + life, preemption, () -> holdings.runtime.find(life));
    if (found.isEmpty()) {
      return; // removed meanwhile: the next relist sees
    }
    FoundContainer container = found.get();
    Resident.Phase phase =
        switch (container.phase()) {
          case CREATED, REMOVING -> Resident.Phase.STARTING;
          case RUNNING -> Resident.Phase.RUNNING;
          case FROZEN -> Resident.Phase.FROZEN;
          case EXITED ->
              holdings.directories.has(life, Mark.STOPPED)
                  ? Resident.Phase.STOPPED
                  : Resident.Phase.RUNNING;
        };
    Resident resident = new Resident(life, org(container), container.limits(), phase);
    resident.madeAs(container.origin());
    if (container.phase() == FoundContainer.Phase.RUNNING
        || container.phase() == FoundContainer.Phase.FROZEN) {
      holdings.directories.unset(life, Mark.STOPPED);
      holdings.connect(resident);
    }
    holdings.directories.set(life, Mark.MADE);
    holdings.residents.put(resident);
    takeUpExecutions(resident, preemption);
    if (container.phase() == FoundContainer.Phase.EXITED && phase == Resident.Phase.RUNNING) {
      tellExit(life, preemption);
    }
    ask(container, preemption);
  }

  /**
   * Detached ones go on. The connections of the others ended with the process that held them, and
   * the guest killed them.
   */
  private void takeUpExecutions(Resident resident, Preemption preemption) {
    for (String execution : holdings.directories.untoldExecutions(resident.life())) {
      Optional<Instant> until = holdings.directories.detachedUntil(resident.life(), execution);
      if (until.isPresent()) {
        detached.reattach(resident, execution, until.get());
        continue;
      }
      tell(
          resident.life(),
          new Report.ExecutionEnded(
              ExecutionEnd.unknown(
                  execution, "executor_restarted: the executor ended while it ran")),
          preemption);
      holdings.directories.executionTold(resident.life(), execution);
    }
  }

  private void tellExit(Life life, Preemption preemption) {
    Optional<FoundContainer> found =
        backoff.insist("find " + life, preemption, () -> holdings.runtime.find(life));
    Optional<Exit> exit = found.flatMap(FoundContainer::exit);
    if (exit.isEmpty()) {
      return; // started again or removed meanwhile: the next relist sees
    }
    holdings.residents.get(life.sandboxId()).ifPresent(Resident::disconnect);
    String detail =
        holdings
            .directories
            .ending(life)
            .orElseGet(
                () ->
                    exit.get().oomKilled()
                        ? "its first process was killed for want of memory"
                        : "its first process ended with " + exit.get().code());
    tell(life, new Report.Exited(exit.get(), detail), preemption);
    holdings.directories.forgetEnding(life);
    holdings.directories.set(life, Mark.STOPPED);
    holdings.residents.get(life.sandboxId()).ifPresent(r -> r.enter(Resident.Phase.STOPPED));
  }

  /** Asks whether the sandbox's containers belong here. */
  void ask(String sandboxId, Preemption preemption) {
    backoff
        .insist("list " + sandboxId, preemption, () -> holdings.runtime.list(sandboxId))
        .forEach(container -> ask(container, preemption));
  }

  private void ask(FoundContainer container, Preemption preemption) {
    String phase =
        switch (container.phase()) {
          case CREATED, EXITED, REMOVING -> "stopped";
          case RUNNING -> "running";
          case FROZEN -> "frozen";
        };
    tell(
        container.life(),
        org(container),
        new Report.Observed(phase, Long.toString(clock.millis(), 36)),
        preemption);
  }

  /** Whose it is; a container that was a spare can't say. */
  private String org(FoundContainer container) {
    return container.wasSpare()
        ? holdings.directories.org(container.life()).orElse("")
        : container.orgId();
  }

  private void tell(Life life, Report.Content content, Preemption preemption) {
    String org =
        holdings
            .residents
            .get(life.sandboxId())
            .map(Resident::orgId)
            .or(() -> holdings.directories.org(life))
            .orElse("");
    tell(life, org, content, preemption);
  }

  /** What no order asked for. */
  void tell(Life life, String org, Report.Content content, Preemption preemption) {
    var subject = new Order.Subject(life, org, 0, Optional.empty());
    delivery.deliver(new Report(subject, content), preemption);
  }
}
