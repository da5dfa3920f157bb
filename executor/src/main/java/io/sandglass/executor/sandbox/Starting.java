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
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a sandbox to life: container, guest, report. */
final class Starting {
  private static final Logger LOG = LoggerFactory.getLogger(Starting.class);
  private static final long GLANCE_MILLIS = 100;

  private final Holdings holdings;
  private final NodeSettings settings;
  private final Semaphore creators;

  Starting(Holdings holdings, NodeSettings settings) {
    this.holdings = holdings;
    this.settings = settings;
    this.creators = new Semaphore(settings.creators(), true);
  }

  /** What is to be reported. Except after {@code Started}, nothing of it is left on the node. */
  Report.Content start(Order.Start order, Preemption preemption) {
    for (int attempt = 1; ; attempt++) {
      preemption.check();
      try {
        return tryStart(order, preemption);
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

  private Report.Content tryStart(Order.Start order, Preemption preemption) {
    Life life = order.life();
    if (!holdings.runtime.imageExists(order.image())) {
      return refused(life, "this node does not have the image " + order.image());
    }
    Optional<Resident> resident = reserve(order);
    if (resident.isEmpty()) {
      return refused(
          life,
          settings.capacity().refusal(holdings.residents.used(), order.limits()).orElse("full"));
    }
    Optional<Ipv4> address = holdings.egress.address(life);
    if (address.isEmpty()) {
      return refused(life, "this node has no free address");
    }
    holdings.prepare(resident.get());
    ContainerSpec spec =
        new ContainerSpec(
            life,
            order.subject().orgId(),
            order.image(),
            order.limits(),
            address.get().toString(),
            holdings.directories.mount(life),
            holdings.channels.token(life));
    if (!run(spec, order, preemption)) {
      return refused(life, "this node does not have the image " + order.image());
    }
    if (!holdings.guestAnswers(resident.get(), settings.guestPatience(), preemption)) {
      return failed(life, silence(life), preemption);
    }
    resident.get().enter(Resident.Phase.RUNNING);
    return new Report.Started();
  }

  private Optional<Resident> reserve(Order.Start order) {
    Life life = order.life();
    Optional<Resident> there =
        holdings.residents.get(life.sandboxId()).filter(r -> r.life().equals(life));
    if (there.isPresent()) {
      return there;
    }
    return switch (holdings.residents.reserve(
        life, order.subject().orgId(), order.limits(), settings.capacity())) {
      case Residents.Reservation.Reserved reserved -> Optional.of(reserved.resident());
      case Residents.Reservation.Full _ -> Optional.empty();
    };
  }

  /** Makes and starts the container; false when its image has gone. */
  private boolean run(ContainerSpec spec, Order.Start order, Preemption preemption) {
    enter(preemption);
    try {
      preemption.check();
      String address;
      switch (holdings.runtime.create(spec)) {
        case Creation.Created _ -> address = spec.address();
        case Creation.AlreadyThere there ->
            address =
                there
                    .container()
                    .address()
                    .orElseThrow(
                        () ->
                            new RuntimeRefusedException(
                                spec.life() + " has no address of this node's", null));
        case Creation.NoSuchImage _ -> {
          return false;
        }
      }
      holdings.directories.set(spec.life(), Mark.MADE);
      preemption.check();
      // Before its first process runs.
      holdings.egress.raise(
          spec.life(), Ipv4.parse(address), order.egress(), order.subject().version());
      if (holdings.runtime.start(spec.life()) == Change.MISSING) {
        throw new RuntimeUnavailableException(
            "The container of " + spec.life() + " vanished before it started", null);
      }
      return true;
    } finally {
      creators.release();
    }
  }

  private void enter(Preemption preemption) {
    try {
      while (!creators.tryAcquire(GLANCE_MILLIS, TimeUnit.MILLISECONDS)) {
        preemption.check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Preemption.PreemptedException(Preemption.Cause.SHUTDOWN);
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
