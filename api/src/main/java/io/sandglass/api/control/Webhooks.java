package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Webhook;
import io.sandglass.api.secrets.MasterKey;
import io.sandglass.api.secrets.WebhookSecret;
import io.sandglass.api.store.DeliveryStore;
import io.sandglass.api.store.WebhookStore;
import io.sandglass.api.webhooks.TargetResolver;
import io.sandglass.api.webhooks.WebhookDispatcher;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The webhooks of organizations. */
public final class Webhooks {
  private static final int MOST_OF_ORGANIZATION = 20;
  private static final Duration BOTH_SECRETS = Duration.ofHours(24);

  /**
   * A webhook at a moment when its secret can be read.
   *
   * @param secret a new one
   */
  public record Revealed(Webhook webhook, WebhookSecret secret) {}

  /** What a new webhook is to be. */
  public record Draft(String url, String description, Set<String> eventTypes) {}

  private final WebhookStore store;
  private final DeliveryStore deliveries;
  private final TargetResolver resolver;
  private final WebhookDispatcher dispatcher;
  private final MasterKey master;
  private final SecureRandom random;
  private final Ids ids;
  private final InstantSource clock;

  public Webhooks(
      WebhookStore store,
      DeliveryStore deliveries,
      TargetResolver resolver,
      WebhookDispatcher dispatcher,
      MasterKey master,
      SecureRandom random,
      Ids ids,
      InstantSource clock) {
    this.store = store;
    this.deliveries = deliveries;
    this.resolver = resolver;
    this.dispatcher = dispatcher;
    this.master = master;
    this.random = random;
    this.ids = ids;
    this.clock = clock;
  }

  /** What is wrong with a URL; empty when webhooks may lead there. */
  public Optional<String> flaw(String url) {
    return resolver.flaw(url);
  }

  public Answer<Revealed> create(Origin origin, Draft draft) {
    Webhook webhook =
        new Webhook(
            ids.next("whk_"),
            origin.orgId(),
            draft.url(),
            draft.description(),
            draft.eventTypes(),
            Optional.empty(),
            now(),
            origin.actor(),
            Optional.empty(),
            Optional.empty());
    WebhookSecret secret = WebhookSecret.generate(random);
    return store.add(webhook, secret.sealed(master, webhook.id()), MOST_OF_ORGANIZATION)
        ? new Answer.Done<>(new Revealed(webhook, secret))
        : new Answer.Refused<>(
            "too_many_webhooks",
            "An organization may have " + MOST_OF_ORGANIZATION + " webhooks.",
            Aftermath.NOTHING);
  }

  /** Oldest first. */
  public List<Webhook> list(String orgId) {
    return store.list(orgId);
  }

  public Answer<Webhook> find(String orgId, String id) {
    return known(store.find(orgId, id));
  }

  public Answer<Webhook> change(String orgId, String id, WebhookStore.Change change) {
    Answer<Webhook> changed = known(store.change(orgId, id, change, now()));
    dispatcher.changed();
    return changed;
  }

  /** Gives it a new secret; for a day both sign. */
  public Answer<Revealed> rotate(String orgId, String id) {
    WebhookSecret secret = WebhookSecret.generate(random);
    return Answer.carry(
        known(store.rotate(orgId, id, secret.sealed(master, id), now().plus(BOTH_SECRETS))),
        webhook -> new Revealed(webhook, secret));
  }

  /** False when the organization has no such webhook. */
  public boolean delete(String orgId, String id) {
    return store.delete(orgId, id);
  }

  /** Newest first. */
  public Answer<List<Delivery>> deliveries(
      String orgId,
      String id,
      Set<Delivery.State> states,
      DeliveryStore.Position after,
      int limit) {
    return Answer.carry(
        find(orgId, id), webhook -> deliveries.list(webhook.id(), states, after, limit));
  }

  public Answer<Delivery> delivery(String orgId, String id, String deliveryId) {
    return switch (find(orgId, id)) {
      case Answer.Done<Webhook>(Webhook webhook) ->
          deliveries
              .find(webhook.id(), deliveryId)
              .<Answer<Delivery>>map(Answer.Done::new)
              .orElseGet(Webhooks::noDelivery);
      case Answer<Webhook> other -> Answer.carry(other, _ -> null);
    };
  }

  /** Has a test sent. */
  public Answer<Delivery> test(String orgId, String id) {
    String delivery = ids.next("msg_");
    return ask(orgId, id, delivery, () -> deliveries.test(id, delivery, now()));
  }

  /** Has a delivery sent again. */
  public Answer<Delivery> again(String orgId, String id, String deliveryId) {
    return ask(orgId, id, deliveryId, () -> deliveries.again(id, deliveryId, now()));
  }

  private Answer<Delivery> ask(
      String orgId, String id, String deliveryId, Supplier<DeliveryStore.Again> asking) {
    return switch (find(orgId, id)) {
      case Answer.Done<Webhook> _ ->
          switch (asking.get()) {
            case ASKED -> {
              dispatcher.changed();
              yield delivery(orgId, id, deliveryId);
            }
            case UNKNOWN -> noDelivery();
            case DISABLED ->
                new Answer.Refused<>(
                    "webhook_disabled",
                    "The webhook is disabled: enable it first.",
                    Aftermath.NOTHING);
            case WAITING ->
                new Answer.Refused<>(
                    "delivery_waits",
                    "It comes after an earlier event of its sandbox, which is not delivered yet.",
                    Aftermath.NOTHING);
          };
      case Answer<Webhook> other -> Answer.carry(other, _ -> null);
    };
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private static Answer<Webhook> known(Optional<Webhook> webhook) {
    return webhook
        .<Answer<Webhook>>map(Answer.Done::new)
        .orElseGet(
            () ->
                new Answer.Refused<>(
                    "webhook_not_found",
                    "The organization has no such webhook.",
                    Aftermath.NOTHING));
  }

  private static Answer<Delivery> noDelivery() {
    return new Answer.Refused<>(
        "delivery_not_found", "The webhook has no such delivery.", Aftermath.NOTHING);
  }
}
