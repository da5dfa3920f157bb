package io.sandglass.api.webhooks;

import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import io.dropwizard.lifecycle.Managed;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Delivery.Attempt;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.RetrySchedule;
import io.sandglass.api.secrets.MasterKey;
import io.sandglass.api.secrets.WebhookSecret;
import io.sandglass.api.store.DeliveryStore;
import io.sandglass.api.store.DeliveryStore.Due;
import io.sandglass.api.store.EventStore;
import io.sandglass.api.store.WebhookStore;
import io.sandglass.api.store.WebhookStore.Destination;
import io.sandglass.api.store.WebhookStore.Following;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans deliveries from the history and sends those that are due. Every instance of the API does
 * both; who does what is settled by locks on rows. How many messages are on their way is limited
 * for each webhook and each organization, so those that take long delay only themselves.
 */
public final class WebhookDispatcher implements Managed {
  /** How many messages one instance has on their way at once. */
  public static final int MOST = 1_024;

  private static final Logger LOG = LoggerFactory.getLogger(WebhookDispatcher.class);
  private static final int MOST_OF_ORGANIZATION = 64;
  private static final int MOST_OF_WEBHOOK = 8;

  /** What other instances project, and what has become due, is found by asking. */
  private static final Duration ASK = Duration.ofMillis(500);

  /** Added to the longest attempt: after that its sender counts as lost. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** When an event cannot be read at the moment, as while the projection is rebuilt. */
  private static final Duration LATER = Duration.ofSeconds(30);

  private record Seen(Set<String> types, HistoryCursor cursor) {}

  private final WebhookStore webhooks;
  private final DeliveryStore deliveries;
  private final EventStore events;
  private final MasterKey master;
  private final WebhookSender sender;
  private final Function<Delivery, Optional<String>> payload;
  private final RetrySchedule schedule;
  private final Duration patience;
  private final InstantSource clock;
  private final Ids ids;
  private final Meter taken;
  private final Meter refused;

  private final Map<String, Integer> onTheirWay = new ConcurrentHashMap<>();
  private final Semaphore room = new Semaphore(MOST);
  private final Semaphore wake = new Semaphore(0);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Thread loop = Thread.ofVirtual().name("webhooks").unstarted(this::run);
  private Map<String, Seen> seen = new HashMap<>();
  private volatile boolean stopped;

  /**
   * @param payload the message; empty when it cannot be made now
   * @param patience how long an attempt takes at most
   */
  public WebhookDispatcher(
      WebhookStore webhooks,
      DeliveryStore deliveries,
      EventStore events,
      MasterKey master,
      WebhookSender sender,
      Function<Delivery, Optional<String>> payload,
      RetrySchedule schedule,
      Duration patience,
      InstantSource clock,
      Ids ids,
      MetricRegistry metrics) {
    this.webhooks = webhooks;
    this.deliveries = deliveries;
    this.events = events;
    this.master = master;
    this.sender = sender;
    this.payload = payload;
    this.schedule = schedule;
    this.patience = patience;
    this.clock = clock;
    this.ids = ids;
    this.taken = metrics.meter("webhooks.delivered");
    this.refused = metrics.meter("webhooks.failed");
  }

  /** To be called after something may have become due. */
  public void changed() {
    wake.release();
  }

  @Override
  public void start() {
    loop.start();
  }

  /** What is on its way and does not come back in a moment is sent again by whoever is left. */
  @Override
  public void stop() throws InterruptedException, IOException {
    stopped = true;
    changed();
    loop.join();
    threads.shutdown();
    if (!threads.awaitTermination(1, TimeUnit.SECONDS)) {
      sender.close();
      threads.shutdownNow();
      var _ = threads.awaitTermination(5, TimeUnit.SECONDS);
    }
    sender.close();
  }

  private void run() {
    while (!stopped) {
      boolean more = false;
      try {
        more = plan();
        send();
      } catch (RuntimeException e) {
        LOG.warn("webhooks=interrupted, comes again: {}", e.toString());
      }
      try {
        if (!more && wake.tryAcquire(ASK.toMillis(), TimeUnit.MILLISECONDS)) {
          wake.drainPermits();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Returns whether there is more to plan. */
  private boolean plan() {
    HistoryCursor end = events.end();
    Map<String, Seen> next = new HashMap<>();
    boolean more = false;
    for (Following following : webhooks.following()) {
      Set<String> types = following.webhook().eventTypes();
      HistoryCursor from =
          Optional.ofNullable(seen.get(following.webhook().id()))
              .filter(before -> before.types().equals(types))
              .map(Seen::cursor)
              .orElse(HistoryCursor.START)
              .and(following.cursor());
      if (!from.and(end).equals(from)) {
        DeliveryStore.Plan plan = deliveries.plan(following, from, clock.instant());
        from = plan.reached();
        more |= plan.more();
      }
      next.put(following.webhook().id(), new Seen(types, from));
    }
    seen = next;
    return more;
  }

  private void send() {
    List<Due> due = new ArrayList<>(deliveries.due(clock.instant()));
    // When there is not room for all, chance decides, and not the alphabet.
    Collections.shuffle(due);
    for (Due one : due) {
      int most =
          Math.min(
              Math.min(
                  MOST_OF_WEBHOOK - onTheirWay.getOrDefault(one.webhookId(), 0),
                  MOST_OF_ORGANIZATION - onTheirWay.getOrDefault(one.orgId(), 0)),
              room.availablePermits());
      if (most > 0) {
        send(one, most);
      }
    }
  }

  private void send(Due due, int most) {
    Optional<Destination> destination = webhooks.destination(due.webhookId());
    if (destination.isEmpty()) {
      return;
    }
    Instant now = clock.instant();
    String name = ids.next("snd_");
    for (Delivery delivery :
        deliveries.claim(due.webhookId(), name, now, now.plus(patience).plus(GRACE), most)) {
      room.acquireUninterruptibly();
      onTheirWay.merge(due.webhookId(), 1, Integer::sum);
      onTheirWay.merge(due.orgId(), 1, Integer::sum);
      threads.execute(
          () -> {
            try {
              send(destination.get(), delivery, name);
            } catch (RuntimeException e) {
              LOG.warn("delivery={} comes again: {}", delivery.id(), e.toString());
            } finally {
              leave(due.webhookId());
              leave(due.orgId());
              room.release();
              changed();
            }
          });
    }
  }

  private void leave(String id) {
    onTheirWay.computeIfPresent(id, (_, count) -> count == 1 ? null : count - 1);
  }

  private void send(Destination destination, Delivery delivery, String name) {
    Optional<String> message = payload.apply(delivery);
    if (message.isEmpty()) {
      deliveries.postpone(delivery, name, clock.instant().plus(LATER));
      return;
    }
    Attempt attempt =
        sender.send(
            URI.create(destination.url()),
            delivery.id(),
            message.get(),
            secrets(delivery.webhookId(), destination));
    (attempt.taken() ? taken : refused).mark();
    deliveries
        .finish(delivery, name, attempt, schedule, ThreadLocalRandom.current().nextDouble())
        .ifPresent(
            cause ->
                LOG.info(
                    "webhook={} disabled cause={} last_error={}",
                    delivery.webhookId(),
                    cause,
                    attempt.error().orElse("")));
  }

  private List<WebhookSecret> secrets(String webhookId, Destination destination) {
    List<WebhookSecret> secrets = new ArrayList<>();
    secrets.add(WebhookSecret.open(master, webhookId, destination.sealedSecret()));
    if (destination.sealedOldSecret() != null
        && clock.instant().isBefore(destination.oldSecretUntil())) {
      secrets.add(WebhookSecret.open(master, webhookId, destination.sealedOldSecret()));
    }
    return secrets;
  }
}
