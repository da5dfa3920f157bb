package io.sandglass.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.dropwizard.core.setup.Environment;
import io.sandglass.api.control.Webhooks;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.resources.WebhookMessage;
import io.sandglass.api.secrets.MasterKey;
import io.sandglass.api.store.DeliveryStore;
import io.sandglass.api.store.EventStore;
import io.sandglass.api.store.WebhookStore;
import io.sandglass.api.webhooks.TargetResolver;
import io.sandglass.api.webhooks.WebhookDispatcher;
import io.sandglass.api.webhooks.WebhookSender;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import org.jdbi.v3.core.Jdbi;

/** What webhooks are made of. */
record WebhookParts(Webhooks webhooks, WebhookDispatcher dispatcher, DeliveryStore deliveries) {

  static WebhookParts assemble(
      ApiConfiguration.Webhooks configuration,
      Environment environment,
      Jdbi jdbi,
      EventStore events,
      MasterKey master,
      ScheduledExecutorService timer,
      SecureRandom random,
      Ids ids,
      InstantSource clock,
      String version) {
    Duration patience = configuration.timeout().toJavaDuration();
    TargetResolver resolver = new TargetResolver(configuration.targets());
    WebhookStore store = new WebhookStore(jdbi, events);
    DeliveryStore deliveries = new DeliveryStore(jdbi, events);
    WebhookDispatcher dispatcher =
        new WebhookDispatcher(
            store,
            deliveries,
            events,
            master,
            new WebhookSender(resolver, timer, clock, patience, WebhookDispatcher.MOST, version),
            delivery -> message(delivery, events, environment.getObjectMapper()),
            configuration.schedule(),
            patience,
            clock,
            ids,
            environment.metrics());
    environment.lifecycle().manage(dispatcher);
    return new WebhookParts(
        new Webhooks(store, deliveries, resolver, dispatcher, master, random, ids, clock),
        dispatcher,
        deliveries);
  }

  private static Optional<String> message(Delivery delivery, EventStore events, ObjectMapper json) {
    if (delivery.isTest()) {
      return Optional.of(WebhookMessage.test(delivery, json));
    }
    return events.history(delivery.sandboxId(), delivery.version() - 1, 1).stream()
        .filter(event -> event.header().version() == delivery.version())
        .findFirst()
        .map(event -> WebhookMessage.text(event, json));
  }
}
