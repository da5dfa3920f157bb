package io.sandglass.executor.sandbox;

import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Creation;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import io.sandglass.executor.sandbox.LifeDirectories.Mark;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a sandbox to life: container, guest, report. */
final class Starting {
  private static final Logger LOG = LoggerFactory.getLogger(Starting.class);

  private final Holdings holdings;
  private final NodeSettings settings;
  private final Creators creators;
  private final WarmPool pool;

  Starting(Holdings holdings, NodeSettings settings, Creators creators, WarmPool pool) {
    this.holdings = holdings;
    this.settings = settings;
    this.creators = creators;
    this.pool = pool;
  }

  /**
   * What is to be reported. Except after {@code Started}, nothing of it is left on the node.
   *
   * @param begun whether there was a container of this life when the order was begun
   */
  Report.Content start(Order.Start order, boolean begun, Preemption preemption) {
    for (int attempt = 1; ; attempt++) {
      preemption.check();
      try {
        return tryStart(order, begun || attempt > 1, preemption);
      } catch (RuntimeUnavailableException e) {
        LOG.warn("start={} attempt={} failed: {}", order.life(), attempt, e.getMessage());
        if (attempt == settings.startAttempts()) {
          return failed(order.life(), e.getMessage(), preemption);
        }
      } catch (RuntimeRefusedException | UncheckedIOException e) {
        return failed(order.life(), e.getMessage(), preemption);
      }
      preemption.pause(settings.backoff().after(attempt));
    }
  }

  /**
   * Starts it in a spare, before its order is here; does nothing where none is ready.
   *
   * @param setAside run as soon as one is: from then on it is started by whatever means, unless
   *     that fails altogether, which its order finds out
   */
  void startAhead(Order.Start ahead, Runnable setAside, Preemption preemption) {
    Life life = ahead.life();
    Optional<Resident> reserved = pool.hasReady(ahead.image()) ? reserve(ahead) : Optional.empty();
    if (reserved.isEmpty()) {
      return;
    }
    Resident resident = reserved.get();
    Runnable promised =
        () -> {
          resident.startAhead();
          setAside.run();
        };
    if (!claimed(ahead, resident, promised, preemption)) {
      if (resident.startsAhead()) {
        var _ = start(ahead, true, preemption);
      } else {
        settings.backoff().insist("clear " + life, preemption, () -> holdings.clear(life));
      }
    }
  }

  private boolean claimed(
      Order.Start ahead, Resident resident, Runnable setAside, Preemption preemption) {
    long since = System.nanoTime();
    try {
      holdings.directories.prepare(ahead.life(), ahead.subject().orgId());
      Optional<FoundContainer> spare = pool.claim(ahead.image(), resident, setAside);
      if (spare.isEmpty()) {
        return false;
      }
      settle(spare.get(), ahead, preemption);
      runsInSpare(resident, ahead.image(), since);
      return true;
    } catch (RuntimeUnavailableException | RuntimeRefusedException | UncheckedIOException e) {
      LOG.warn("claim={} failed: {}", ahead.life(), e.getMessage());
      return false;
    } finally {
      pool.adjust();
    }
  }

  private void runsInSpare(Resident resident, String image, long since) {
    resident.enter(Resident.Phase.RUNNING);
    pool.claimed(image, Duration.ofNanos(System.nanoTime() - since));
  }

  private Report.Content tryStart(Order.Start order, boolean begun, Preemption preemption) {
    long since = System.nanoTime();
    Life life = order.life();
    Optional<Resident> reserved = reserve(order);
    if (reserved.isEmpty()) {
      return refused(
          life,
          settings.capacity().refusal(holdings.residents.used(), order.limits()).orElse("full"));
    }
    Resident resident = reserved.get();
    holdings.directories.prepare(life, order.subject().orgId());
    Optional<FoundContainer> there = begun ? holdings.runtime.find(life) : Optional.empty();
    if (there.isPresent() && resident.isInUse()) {
      settle(there.get(), order, preemption);
      return new Report.Started(there.get().wasSpare());
    }
    Optional<FoundContainer> claimed =
        there.isPresent() ? Optional.empty() : pool.claim(order.image(), resident, () -> {});
    pool.giveWay();
    try {
      if (there.isPresent()) {
        resident.madeAs(there.get().origin());
        holdings.prepare(resident);
        run(there.get(), order, preemption);
      } else if (claimed.isPresent()) {
        settle(claimed.get(), order, preemption);
      } else {
        pool.missed(order.image());
        Optional<Report.Content> refusal = make(order, resident, preemption);
        if (refusal.isPresent()) {
          return refusal.get();
        }
      }
      if (!holdings.guestAnswers(resident, settings.guestPatience(), preemption)) {
        return failed(life, silence(life), preemption);
      }
    } finally {
      pool.adjust(); // not while somebody waits for what it would slow down
    }
    if (claimed.isPresent()) {
      runsInSpare(resident, order.image(), since);
    } else {
      resident.enter(Resident.Phase.RUNNING);
    }
    return new Report.Started(claimed.or(() -> there).filter(FoundContainer::wasSpare).isPresent());
  }

  private Optional<Resident> reserve(Order.Start order) {
    Life life = order.life();
    Optional<Resident> there = holdings.residents.get(life);
    if (there.isPresent()) {
      return there;
    }
    return switch (holdings.residents.reserve(
        life, order.subject().orgId(), order.limits(), settings.capacity())) {
      case Residents.Reservation.Reserved reserved -> Optional.of(reserved.resident());
      case Residents.Reservation.Full _ -> Optional.empty();
    };
  }

  /** Makes the container and starts it; why it can't be made on this node. */
  private Optional<Report.Content> make(
      Order.Start order, Resident resident, Preemption preemption) {
    Life life = order.life();
    Optional<Ipv4> address = holdings.egress.address(life);
    if (address.isEmpty()) {
      return Optional.of(refused(life, "this node has no free address"));
    }
    resident.madeAs(life);
    holdings.prepare(resident);
    ContainerSpec spec =
        new ContainerSpec(
            life,
            order.subject().orgId(),
            order.image(),
            order.limits(),
            address.get().toString(),
            holdings.directories.mount(life),
            holdings.channels.token(life));
    creators.enter(preemption);
    try {
      preemption.check();
      switch (holdings.runtime.create(spec)) {
        case Creation.Created _ -> settle(spec.address(), order, preemption);
        case Creation.AlreadyThere there -> settle(there.container(), order, preemption);
        case Creation.NoSuchImage _ -> {
          return Optional.of(refused(life, "this node does not have the image " + order.image()));
        }
      }
      begin(life);
      return Optional.empty();
    } finally {
      creators.leave();
    }
  }

  /** Starts one that is there already. */
  private void run(FoundContainer container, Order.Start order, Preemption preemption) {
    creators.enter(preemption);
    try {
      settle(container, order, preemption);
      begin(order.life());
    } finally {
      creators.leave();
    }
  }

  private void settle(FoundContainer container, Order.Start order, Preemption preemption) {
    Life life = order.life();
    String address =
        container
            .address()
            .orElseThrow(
                () -> new RuntimeRefusedException(life + " has no address of this node's", null));
    if (container.wasSpare() && !container.limits().equals(order.limits())) {
      require(holdings.runtime.resize(life, order.limits()), life);
    }
    settle(address, order, preemption);
  }

  /** Before its first process runs, or anything of the sandbox's in one that runs already. */
  private void settle(String address, Order.Start order, Preemption preemption) {
    Life life = order.life();
    holdings.directories.set(life, Mark.MADE);
    preemption.check();
    holdings.egress.raise(life, Ipv4.parse(address), order.egress(), order.subject().version());
  }

  private void begin(Life life) {
    require(holdings.runtime.start(life), life);
  }

  private static void require(Change change, Life life) {
    if (change == Change.MISSING) {
      throw new RuntimeUnavailableException(
          "The container of " + life + " vanished before it started", null);
    }
  }

  private String silence(Life life) {
    String detail =
        "its guest did not answer within " + settings.guestPatience().toSeconds() + " s";
    return holdings
        .runtime
        .find(life)
        .flatMap(FoundContainer::exit)
        .map(exit -> detail + "; its first process ended with " + exit.code())
        .orElse(detail);
  }

  private Report.Content refused(Life life, String detail) {
    holdings.clear(life);
    return new Report.Refused(detail);
  }

  private Report.Content failed(Life life, String detail, Preemption preemption) {
    settings.backoff().insist("clear " + life, preemption, () -> holdings.clear(life));
    return new Report.StartFailed(detail);
  }
}
