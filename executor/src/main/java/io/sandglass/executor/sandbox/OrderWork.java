package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries orders out, one at a time per sandbox, and sees their reports through. Everything here
 * may be asked again after any crash, and then ends in the same state with the same report.
 */
final class OrderWork implements Lanes.Work {
  private static final Logger LOG = LoggerFactory.getLogger(OrderWork.class);

  private final Holdings holdings;
  private final NodeSettings settings;
  private final Delivery delivery;
  private final Reconciliation reconciliation;
  private final Starting starting;
  private final Suspension suspension;
  private final DoneOrders memory = new DoneOrders();

  OrderWork(
      Holdings holdings,
      NodeSettings settings,
      Delivery delivery,
      Reconciliation reconciliation,
      Starting starting) {
    this.holdings = holdings;
    this.settings = settings;
    this.delivery = delivery;
    this.reconciliation = reconciliation;
    this.starting = starting;
    this.suspension = new Suspension(holdings, settings);
  }

  @Override
  public void reconcile(String sandboxId, boolean ask, Preemption preemption) {
    reconciliation.reconcile(sandboxId, preemption);
    if (ask) {
      reconciliation.ask(sandboxId, preemption);
    }
  }

  @Override
  public void carryOut(Order order, Preemption preemption) {
    Order.Subject subject = order.subject();
    if (memory.knows(order)) {
      LOG.debug("order={} {} is done and told already", Lanes.name(order), subject.life());
      return;
    }
    LOG.info(
        "order={} sandbox={} incarnation={} order_version={} request_id={}",
        Lanes.name(order),
        subject.life().sandboxId(),
        subject.life().incarnation(),
        subject.version(),
        subject.requestId().orElse("-"));
    if (order instanceof Order.Start start && runsAhead(start)) {
      finish(order, Optional.of(startedAhead(start, preemption)), preemption);
      return;
    }
    if (wakesWhatSleepsHere(order)) {
      finish(order, answer(order, List.of(), preemption), preemption);
      return;
    }
    List<FoundContainer> found = isNew(order) ? List.of() : list(subject.life(), preemption);
    if (newestKnown(subject.life().sandboxId(), found) > subject.life().incarnation()) {
      LOG.info("order={} {} dropped: a newer life is here", Lanes.name(order), subject.life());
      removeStale(order, preemption);
      return;
    }
    Optional<Report.Content> content;
    if (wantsItThere(order) && vanished(order.life(), found)) {
      clear(order.life(), preemption);
      content = Optional.of(new Report.Gone("its container was removed by somebody else"));
    } else {
      if (!settled(subject.life().sandboxId(), found)) {
        reconciliation.reconcile(subject.life().sandboxId(), preemption);
      }
      content = answer(order, found, preemption);
    }
    finish(order, content, preemption);
  }

  /** The directory of a life is there before its container, and goes after it. */
  private boolean isNew(Order order) {
    String sandbox = order.life().sandboxId();
    return order instanceof Order.Start
        && holdings.residents.get(sandbox).isEmpty()
        && holdings.directories.lives(sandbox).isEmpty();
  }

  private List<FoundContainer> list(Life life, Preemption preemption) {
    return settings
        .backoff()
        .insist("list " + life, preemption, () -> holdings.runtime.list(life.sandboxId()));
  }

  private void finish(Order order, Optional<Report.Content> content, Preemption preemption) {
    content.ifPresent(told -> delivery.deliver(new Report(order.subject(), told), preemption));
    memory.remember(order);
  }

  @Override
  public void startAhead(Order.Start ahead, Runnable setAside, Preemption preemption) {
    if (resident(ahead).filter(Resident::startsAhead).isPresent()) {
      setAside.run(); // asked again
    } else if (isNew(ahead)) {
      LOG.info(
          "claim sandbox={} image={} request_id={}",
          ahead.life().sandboxId(),
          ahead.image(),
          ahead.subject().requestId().orElse("-"));
      starting.startAhead(ahead, setAside, preemption);
    }
  }

  @Override
  public void thaw(Life life, Runnable awake, Preemption preemption) {
    Optional<Resident> found = holdings.residents.get(life);
    if (found.isEmpty()) {
      return;
    }
    Resident resident = found.get();
    if (resident.phase() == Resident.Phase.FROZEN) {
      LOG.info("thaw sandbox={} incarnation={}", life.sandboxId(), life.incarnation());
      Report.Content content = suspension.resume(resident, preemption);
      if (content instanceof Report.Exited || content instanceof Report.Gone) {
        reconciliation.tell(life, resident.orgId(), content, preemption);
      }
    }
    if (resident.phase() == Resident.Phase.RUNNING) {
      awake.run();
    }
  }

  private boolean runsAhead(Order.Start order) {
    return resident(order)
        .filter(Resident::startsAhead)
        .filter(resident -> resident.phase() == Resident.Phase.RUNNING)
        .isPresent();
  }

  /** From now on the policy is the log's. */
  private Report.Content startedAhead(Order.Start order, Preemption preemption) {
    changeEgress(order, order.egress(), preemption);
    return new Report.Started(resident(order).orElseThrow().origin().isSpare());
  }

  private void changeEgress(Order order, EgressPolicy egress, Preemption preemption) {
    settings
        .backoff()
        .insist(
            "egress " + order.life(),
            preemption,
            () -> holdings.egress.change(order.life(), egress, order.subject().version()));
  }

  /** Somebody waits, and if its container is not there to be woken, waking it finds that out. */
  private boolean wakesWhatSleepsHere(Order order) {
    return order instanceof Order.Resume
        && resident(order)
            .map(Resident::phase)
            .filter(phase -> phase == Resident.Phase.FROZEN || phase == Resident.Phase.STOPPED)
            .isPresent();
  }

  private static boolean wantsItThere(Order order) {
    return switch (order) {
      case Order.Start _, Order.Suspend _, Order.Resume _, Order.ApplyEgress _ -> true;
      case Order.Stop _, Order.Remove _ -> false;
    };
  }

  /** There was a container and now there is none: starting it again would hide the loss. */
  private boolean vanished(Life life, List<FoundContainer> found) {
    return holdings.directories.has(life, LifeDirectories.Mark.MADE)
        && found.stream().noneMatch(container -> container.life().equals(life));
  }

  /** Whether what is known of a sandbox is what is there, or it is new to this node. */
  private boolean settled(String sandboxId, List<FoundContainer> found) {
    return holdings
        .residents
        .get(sandboxId)
        .map(resident -> resident.phase() != Resident.Phase.UNVERIFIED)
        .orElse(found.isEmpty());
  }

  /** A newer life here does not keep the container of an older one from being removed. */
  private void removeStale(Order order, Preemption preemption) {
    if (order instanceof Order.Remove || order instanceof Order.Stop) {
      clear(order.life(), preemption);
    }
  }

  private int newestKnown(String sandboxId, List<FoundContainer> found) {
    int newest = holdings.residents.get(sandboxId).map(r -> r.life().incarnation()).orElse(0);
    for (FoundContainer container : found) {
      newest = Math.max(newest, container.life().incarnation());
    }
    return newest;
  }

  private Optional<Report.Content> answer(
      Order order, List<FoundContainer> found, Preemption preemption) {
    return switch (order) {
      case Order.Start start -> Optional.of(start(start, found, preemption));
      case Order.Suspend suspend ->
          Optional.of(
              resident(order)
                  .map(resident -> suspension.suspend(resident, suspend.depth(), preemption))
                  .orElseGet(OrderWork::nothingHere));
      case Order.Resume _ ->
          Optional.of(
              resident(order)
                  .map(resident -> resume(resident, order.subject().version(), preemption))
                  .orElseGet(OrderWork::nothingHere));
      case Order.ApplyEgress apply -> {
        resident(order).ifPresent(_ -> changeEgress(order, apply.egress(), preemption));
        yield Optional.empty();
      }
      case Order.Stop _ -> {
        older(order.life(), found).forEach(life -> clear(life, preemption));
        clear(order.life(), preemption);
        yield Optional.of(new Report.Gone("removed"));
      }
      case Order.Remove _ -> {
        clear(order.life(), preemption);
        yield Optional.empty();
      }
    };
  }

  private Report.Content resume(Resident resident, long orderVersion, Preemption preemption) {
    try {
      return suspension.resume(resident, preemption);
    } finally {
      resident.triedToResume(orderVersion);
    }
  }

  private void clear(Life life, Preemption preemption) {
    settings.backoff().insist("clear " + life, preemption, () -> holdings.clear(life));
  }

  private static Report.Content nothingHere() {
    return new Report.Gone("there is no container of it on this node");
  }

  private Optional<Resident> resident(Order order) {
    return holdings.residents.get(order.life());
  }

  private Report.Content start(
      Order.Start order, List<FoundContainer> found, Preemption preemption) {
    older(order.life(), found).forEach(life -> clear(life, preemption));
    Optional<FoundContainer> there =
        found.stream().filter(container -> container.life().equals(order.life())).findFirst();
    boolean ranBefore =
        there.filter(c -> c.phase() == Phase.FROZEN || c.phase() == Phase.EXITED).isPresent();
    if (ranBefore) {
      // Delivered again after later orders had their effect, or after it ended by itself, which
      // the relist tells. It did start; starting it now would undo what came later.
      return new Report.Started(there.get().wasSpare());
    }
    return starting.start(order, there.isPresent(), preemption);
  }

  /** What there is of earlier lives. Whoever was to remove one may have been ended half-way. */
  private Set<Life> older(Life life, List<FoundContainer> found) {
    if (life.incarnation() == 1) {
      return Set.of();
    }
    return Stream.of(
            found.stream().map(FoundContainer::life),
            holdings.residents.get(life.sandboxId()).map(Resident::life).stream(),
            holdings.directories.lives(life.sandboxId()).stream())
        .flatMap(lives -> lives)
        .filter(one -> one.incarnation() < life.incarnation())
        .collect(Collectors.toSet());
  }
}
