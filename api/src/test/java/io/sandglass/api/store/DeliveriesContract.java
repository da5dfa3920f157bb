package io.sandglass.api.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Delivery.Attempt;
import io.sandglass.api.domain.Delivery.State;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.RetrySchedule;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Status;
import io.sandglass.api.domain.Template;
import io.sandglass.api.domain.Webhook;
import io.sandglass.api.store.DeliveryStore.Again;
import io.sandglass.api.store.WebhookStore.Change;
import io.sandglass.api.store.WebhookStore.Following;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every database must do alike, also when several instances are at work. */
abstract class DeliveriesContract {
  private static final Instant START = Instant.ofEpochMilli(1_793_000_000_123L);
  private static final String ORG = "org_1";
  private static final String HOOK = "whk_1";
  private static final Change NO_CHANGE =
      new Change(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  private static final RetrySchedule SCHEDULE =
      new RetrySchedule(Duration.ofSeconds(10), Duration.ofMinutes(10), Duration.ofHours(1));

  private ProjectionStore projection;
  private WebhookStore webhooks;
  private DeliveryStore deliveries;
  private Map<String, Long> versions;
  private long offset;

  abstract DataSource dataSource();

  @BeforeEach
  void emptyTables() {
    Database.migrate(dataSource());
    Jdbi jdbi = Jdbi.create(dataSource());
    projection = new ProjectionStore(jdbi);
    projection.clear();
    jdbi.useHandle(
        handle ->
            List.of("webhook_deliveries", "webhooks", "api_keys", "organizations")
                .forEach(table -> handle.execute("DELETE FROM " + table)));
    new AccountStore(jdbi).add(new AccountStore.Organization(ORG, "one", START));
    EventStore events = new EventStore(jdbi, "sandbox.events");
    webhooks = new WebhookStore(jdbi, events);
    deliveries = new DeliveryStore(jdbi, events);
    versions = new HashMap<>();
    offset = 0;
  }

  private static Webhook webhook(String id, Set<String> types) {
    return new Webhook(
        id,
        ORG,
        "https://example.com/" + id,
        "",
        types,
        Optional.empty(),
        START,
        "key:key_1",
        Optional.empty(),
        Optional.empty());
  }

  private void add(Set<String> types) {
    assertThat(webhooks.add(webhook(HOOK, types), new byte[] {1, 2}, 20)).isTrue();
  }

  /** One more event of each of these sandboxes. */
  private void happen(String... sandboxes) {
    List<LogBatch.Read> reads = new ArrayList<>();
    for (String sandbox : sandboxes) {
      long version = versions.merge(sandbox, 1L, Long::sum);
      reads.add(new LogBatch.Read(offset++, new LogEntry.Happened(event(sandbox, version))));
    }
    var _ = projection.apply(List.of(new LogBatch("sandbox.events", 0, reads, offset)));
  }

  private static SandboxEvent event(String sandbox, long version) {
    Fact fact =
        version == 1
            ? new Fact.SandboxRequested(
                new SandboxSpec(
                    new Template("tpl_base", "base", "sandglass/base:0.1.0"),
                    Mode.EPHEMERAL,
                    new Size("shared-cpu-1x", 1_000, 256L << 20),
                    EgressPolicy.ALLOW_ALL,
                    Duration.ofMinutes(5),
                    null,
                    SealedEnv.NONE,
                    Map.of()),
                START.plusSeconds(300))
            : version == 2 ? new Fact.SandboxStarted(false) : new Fact.ActivityRecorded("wake");
    return new SandboxEvent(
        new EventHeader(
            sandbox + "-" + version,
            sandbox,
            ORG,
            version,
            START.plusMillis(version),
            null,
            "command",
            "key:key_1",
            "req",
            null,
            Status.RUNNING,
            1,
            "node-1"),
        fact);
  }

  private void plan(Instant now) {
    boolean more = true;
    while (more) {
      more = false;
      for (Following following : webhooks.following()) {
        more |= deliveries.plan(following, HistoryCursor.START, now).more();
      }
    }
  }

  private List<Delivery> claim(String sender, Instant now) {
    return deliveries.claim(HOOK, sender, now, now.plusSeconds(15), 100);
  }

  private static Attempt taken(Instant at) {
    return new Attempt(at, Optional.of(200), Optional.empty(), Optional.empty());
  }

  private static Attempt refused(Instant at, int status) {
    return new Attempt(at, Optional.of(status), Optional.of("status " + status), Optional.empty());
  }

  private Optional<Webhook.Cause> finish(Delivery delivery, String sender, Attempt attempt) {
    return deliveries.finish(delivery, sender, attempt, SCHEDULE, 0.5);
  }

  private static List<String> events(List<Delivery> found) {
    return found.stream().map(Delivery::eventId).sorted().toList();
  }

  private Webhook found() {
    return webhooks.find(ORG, HOOK).orElseThrow();
  }

  @Test
  void itHearsOfWhatHappensFromNowOnOnceAndOfTheFirstOfEachSandboxFirst() {
    happen("sbx_a", "sbx_b");
    add(Set.of());
    happen("sbx_a", "sbx_b", "sbx_a", "sbx_a");

    plan(START);
    plan(START);

    assertThat(events(deliveries.list(HOOK, Set.of(), null, 100)))
        .containsExactly("sbx_a-2", "sbx_a-3", "sbx_a-4", "sbx_b-2");
    assertThat(events(claim("s1", START))).containsExactly("sbx_a-2", "sbx_b-2");
  }

  @Test
  void anEndpointThatWantsToBeLeftAloneIs() {
    add(Set.of());
    happen("sbx_a", "sbx_b");
    plan(START);
    List<Delivery> first = claim("s1", START);
    Delivery refused = of("sbx_a", first);
    Instant asked = START.plusSeconds(90);

    assertThat(finish(refused, "s1", busy(START, asked))).isEmpty();
    assertThat(finish(of("sbx_b", first), "s1", taken(START))).isEmpty();
    happen("sbx_b");
    plan(START.plusSeconds(1));

    assertThat(found().pausedUntil()).contains(asked);
    assertThat(deliveries.find(HOOK, refused.id()).orElseThrow().nextAttemptAt()).contains(asked);
    assertThat(deliveries.due(asked.minusMillis(1))).isEmpty();
    assertThat(deliveries.due(asked)).hasSize(1);
    List<Delivery> later = claim("s2", asked);
    assertThat(events(later)).containsExactly("sbx_a-1", "sbx_b-2");
    assertThat(finish(of("sbx_a", later), "s2", taken(asked))).isEmpty();
    assertThat(found().pausedUntil()).isEmpty();

    // Not for longer than it would be left alone for at most when it fails.
    Delivery again = of("sbx_b", later);
    assertThat(finish(again, "s2", busy(asked, asked.plusSeconds(86_400)))).isEmpty();
    assertThat(found().pausedUntil()).contains(asked.plus(SCHEDULE.longest()));

    // Whoever changes where it leads, or says that it is to go on, wants to see it go on.
    var _ = webhooks.change(ORG, HOOK, enabled(true), asked);
    assertThat(found().pausedUntil()).isEmpty();
    assertThat(deliveries.find(HOOK, again.id()).orElseThrow().nextAttemptAt()).contains(asked);
  }

  private static Delivery of(String sandbox, List<Delivery> deliveries) {
    return deliveries.stream()
        .filter(one -> one.sandboxId().equals(sandbox))
        .findFirst()
        .orElseThrow();
  }

  private static Attempt busy(Instant at, Instant notBefore) {
    return new Attempt(at, Optional.of(429), Optional.of("status 429"), Optional.of(notBefore));
  }

  private static Change enabled(boolean enabled) {
    return new Change(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(enabled));
  }

  @Test
  void aTestIsSentOnceBesideEverythingElse() {
    add(Set.of("SandboxEnded"));
    assertThat(deliveries.test(HOOK, "msg_1", START)).isEqualTo(Again.ASKED);
    assertThat(deliveries.test(HOOK, "msg_2", START)).isEqualTo(Again.ASKED);
    assertThat(deliveries.test("whk_none", "msg_3", START)).isEqualTo(Again.UNKNOWN);

    List<Delivery> claimed = claim("s1", START);
    assertThat(claimed).hasSize(2).allMatch(Delivery::isTest);
    assertThat(finish(claimed.getFirst(), "s1", taken(START))).isEmpty();
    // Even 410 is no reason to disable what might be wrong.
    assertThat(finish(claimed.getLast(), "s1", refused(START, 410))).isEmpty();

    assertThat(deliveries.find(HOOK, claimed.getFirst().id()).orElseThrow().state())
        .isEqualTo(State.DELIVERED);
    Delivery failed = deliveries.find(HOOK, claimed.getLast().id()).orElseThrow();
    assertThat(failed.state()).isEqualTo(State.FAILED);
    assertThat(failed.lastAttempt()).contains(refused(START, 410));
    assertThat(claim("s2", START.plusSeconds(86_400))).isEmpty();
    assertThat(found().disabled()).isEmpty();
    assertThat(found().lastDeliveredAt()).isEmpty();

    assertThat(deliveries.again(HOOK, failed.id(), START)).isEqualTo(Again.ASKED);
    assertThat(claim("s3", START)).extracting(Delivery::id).containsExactly(failed.id());
    var _ = webhooks.change(ORG, HOOK, enabled(false), START);
    assertThat(deliveries.test(HOOK, "msg_4", START)).isEqualTo(Again.DISABLED);
  }

  @Test
  void onlyTheTypesItAskedFor() {
    add(Set.of("SandboxStarted"));
    happen("sbx_a", "sbx_a", "sbx_a", "sbx_b");

    plan(START);

    assertThat(events(deliveries.list(HOOK, Set.of(), null, 100))).containsExactly("sbx_a-2");
  }

  @Test
  void otherTypesHoldFromNowOn() {
    add(Set.of("SandboxStarted"));
    happen("sbx_a", "sbx_a", "sbx_a");
    plan(START);

    var _ =
        webhooks.change(
            ORG,
            HOOK,
            new Change(
                Optional.empty(),
                Optional.empty(),
                Optional.of(Set.of("ActivityRecorded")),
                Optional.empty()),
            START);
    happen("sbx_a");
    plan(START);

    assertThat(events(deliveries.list(HOOK, Set.of(), null, 100)))
        .containsExactly("sbx_a-2", "sbx_a-4");
  }

  @Test
  void whatIsClaimedIsNobodyElsesUntilItsSenderCountsAsLost() {
    add(Set.of());
    happen("sbx_a", "sbx_b", "sbx_c");
    plan(START);

    List<Delivery> first = deliveries.claim(HOOK, "s1", START, START.plusSeconds(15), 2);
    List<Delivery> second = claim("s2", START);

    assertThat(first).hasSize(2);
    assertThat(second).hasSize(1).doesNotContainAnyElementsOf(first);
    assertThat(claim("s3", START.plusSeconds(14))).isEmpty();
    assertThat(events(claim("s4", START.plusSeconds(16))))
        .containsExactly("sbx_a-1", "sbx_b-1", "sbx_c-1");

    // The one that was lost comes back: too late.
    assertThat(finish(first.getFirst(), "s1", refused(START.plusSeconds(17), 410))).isEmpty();
    assertThat(found().disabled()).isEmpty();
    assertThat(deliveries.find(HOOK, first.getFirst().id()).orElseThrow().attempts()).isZero();
  }

  @Test
  void aSandboxesNextEventIsDueWhenTheFirstIsDelivered() {
    add(Set.of());
    happen("sbx_a", "sbx_a", "sbx_b");
    plan(START);
    List<Delivery> first = claim("s1", START);
    Delivery a = first.stream().filter(one -> one.sandboxId().equals("sbx_a")).findAny().get();

    assertThat(finish(a, "s1", refused(START, 500))).isEmpty();
    Delivery failed = deliveries.find(HOOK, a.id()).orElseThrow();
    assertThat(failed.attempts()).isEqualTo(1);
    assertThat(failed.nextAttemptAt()).contains(START.plusSeconds(10));
    assertThat(failed.lastAttempt()).contains(refused(START, 500));
    assertThat(claim("s2", START.plusSeconds(9))).isEmpty();

    Instant later = START.plusSeconds(11);
    Delivery again = claim("s3", later).getFirst();
    assertThat(again.eventId()).isEqualTo("sbx_a-1");
    assertThat(finish(again, "s3", taken(later))).isEmpty();

    assertThat(deliveries.find(HOOK, a.id()).orElseThrow().state()).isEqualTo(State.DELIVERED);
    assertThat(found().lastDeliveredAt()).contains(later);
    assertThat(events(claim("s4", later))).containsExactly("sbx_a-2");
  }

  @Test
  void itsLastAttemptGivesAnEventUpWhenOthersWereTaken() {
    add(Set.of());
    happen("sbx_a", "sbx_a", "sbx_b");
    plan(START);
    List<Delivery> first = claim("s1", START);
    for (Delivery delivery : first) {
      boolean a = delivery.sandboxId().equals("sbx_a");
      assertThat(finish(delivery, "s1", a ? refused(START, 500) : taken(START.plusSeconds(1))))
          .isEmpty();
    }

    Instant end = START.plus(Duration.ofHours(1));
    Delivery last = claim("s2", end).getFirst();
    assertThat(finish(last, "s2", refused(end, 503))).isEmpty();

    assertThat(deliveries.find(HOOK, last.id()).orElseThrow().state()).isEqualTo(State.FAILED);
    assertThat(found().disabled()).isEmpty();
    assertThat(events(claim("s3", end))).containsExactly("sbx_a-2");
  }

  @Test
  void itsLastAttemptDisablesTheWebhookWhenNothingWasTaken() {
    add(Set.of());
    happen("sbx_a", "sbx_a");
    plan(START);
    assertThat(finish(claim("s1", START).getFirst(), "s1", refused(START, 500))).isEmpty();
    Instant end = START.plus(Duration.ofHours(1));

    assertThat(finish(claim("s2", end).getFirst(), "s2", refused(end, 500)))
        .contains(Webhook.Cause.FAILING);

    assertThat(found().disabled()).contains(new Webhook.Disabled(end, Webhook.Cause.FAILING));
    assertThat(deliveries.due(end.plusSeconds(9_999))).isEmpty();
    happen("sbx_c");
    plan(end);

    Change enable =
        new Change(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(true));
    assertThat(webhooks.change(ORG, HOOK, enable, end).orElseThrow().disabled()).isEmpty();
    plan(end);

    // Nothing is lost, and the attempts begin anew.
    List<Delivery> resumed = claim("s3", end);
    assertThat(events(resumed)).containsExactly("sbx_a-1", "sbx_c-1");
    assertThat(resumed).allSatisfy(delivery -> assertThat(delivery.attempts()).isZero());
  }

  @Test
  void goneDisablesAtOnceAndWhatIsUnderWayStillCounts() {
    add(Set.of());
    happen("sbx_a", "sbx_b", "sbx_b");
    plan(START);
    List<Delivery> both = claim("s1", START);

    assertThat(finish(both.get(0), "s1", refused(START, 410))).contains(Webhook.Cause.GONE);
    assertThat(finish(both.get(1), "s1", taken(START))).isEmpty();

    assertThat(found().disabled()).contains(new Webhook.Disabled(START, Webhook.Cause.GONE));
    assertThat(deliveries.find(HOOK, both.get(1).id()).orElseThrow().state())
        .isEqualTo(State.DELIVERED);
    assertThat(deliveries.due(START.plusSeconds(9_999))).isEmpty();
    assertThat(deliveries.again(HOOK, both.get(1).id(), START)).isEqualTo(Again.DISABLED);
  }

  @Test
  void whatIsAskedForAgainGoesBesideTheOrder() {
    add(Set.of());
    happen("sbx_a", "sbx_a", "sbx_a");
    plan(START);
    Delivery first = claim("s1", START).getFirst();
    assertThat(finish(first, "s1", taken(START))).isEmpty();
    Delivery second = claim("s2", START).getFirst();
    assertThat(finish(second, "s2", refused(START, 500))).isEmpty();
    String third =
        deliveries.list(HOOK, Set.of(State.PENDING), null, 10).stream()
            .filter(delivery -> delivery.eventId().equals("sbx_a-3"))
            .findAny()
            .get()
            .id();

    assertThat(deliveries.again(HOOK, third, START)).isEqualTo(Again.WAITING);
    assertThat(deliveries.again(HOOK, "msg_none", START)).isEqualTo(Again.UNKNOWN);
    assertThat(deliveries.again("whk_none", first.id(), START)).isEqualTo(Again.UNKNOWN);
    assertThat(deliveries.again(HOOK, first.id(), START)).isEqualTo(Again.ASKED);
    assertThat(deliveries.again(HOOK, second.id(), START)).isEqualTo(Again.ASKED);

    happen("sbx_a");
    plan(START);
    List<Delivery> both = claim("s3", START);
    assertThat(events(both)).containsExactly("sbx_a-1", "sbx_a-2");
    for (Delivery delivery : both) {
      if (delivery.eventId().equals("sbx_a-1")) {
        // Failing again, it holds nobody up, and its end does not let anybody pass.
        assertThat(finish(delivery, "s3", refused(START, 500))).isEmpty();
        assertThat(claim("s4", START)).isEmpty();
      } else {
        assertThat(finish(delivery, "s3", taken(START))).isEmpty();
        assertThat(events(claim("s5", START))).containsExactly("sbx_a-3");
      }
    }
  }

  @Test
  void theLogOfDeliveriesIsRead() {
    add(Set.of());
    happen("sbx_a", "sbx_a", "sbx_b");
    plan(START);
    happen("sbx_b");
    plan(START.plusSeconds(1));

    List<Delivery> all = deliveries.list(HOOK, Set.of(), null, 10);
    assertThat(all)
        .extracting(Delivery::eventId)
        .containsExactly("sbx_b-2", "sbx_b-1", "sbx_a-2", "sbx_a-1");
    Delivery second = all.get(1);
    assertThat(
            deliveries.list(
                HOOK,
                Set.of(State.PENDING),
                new DeliveryStore.Position(
                    second.createdAt(), second.sandboxId(), second.version()),
                10))
        .isEqualTo(all.subList(2, 4));
    assertThat(deliveries.list(HOOK, Set.of(State.DELIVERED, State.FAILED), null, 10)).isEmpty();
  }

  @Test
  void oldOnesAreForgottenWhenTheyAreOver() {
    add(Set.of());
    happen("sbx_a", "sbx_a");
    plan(START);
    assertThat(finish(claim("s1", START).getFirst(), "s1", taken(START))).isEmpty();

    assertThat(deliveries.deleteBefore(START)).isZero();
    assertThat(deliveries.deleteBefore(START.plusMillis(1))).isEqualTo(1);
    assertThat(events(deliveries.list(HOOK, Set.of(), null, 10))).containsExactly("sbx_a-2");
  }

  @Test
  void aWebhookIsItsOrganizationsAndGoesWithItsDeliveries() {
    add(Set.of("SandboxStarted"));
    happen("sbx_a", "sbx_a");
    plan(START);

    assertThat(webhooks.find("org_2", HOOK)).isEmpty();
    assertThat(webhooks.change("org_2", HOOK, NO_CHANGE, START)).isEmpty();
    assertThat(webhooks.rotate("org_2", HOOK, new byte[] {9}, START)).isEmpty();
    assertThat(webhooks.delete("org_2", HOOK)).isFalse();
    assertThat(webhooks.list(ORG)).containsExactly(webhook(HOOK, Set.of("SandboxStarted")));
    assertThat(webhooks.destination(HOOK).orElseThrow().sealedSecret()).containsExactly(1, 2);

    assertThat(webhooks.rotate(ORG, HOOK, new byte[] {3}, START)).isPresent();
    WebhookStore.Destination rotated = webhooks.destination(HOOK).orElseThrow();
    assertThat(rotated.sealedSecret()).containsExactly(3);
    assertThat(rotated.sealedOldSecret()).containsExactly(1, 2);
    assertThat(rotated.oldSecretUntil()).isEqualTo(START);

    assertThat(webhooks.delete(ORG, HOOK)).isTrue();
    assertThat(webhooks.delete(ORG, HOOK)).isFalse();
    assertThat(deliveries.list(HOOK, Set.of(), null, 10)).isEmpty();
    assertThat(deliveries.due(START)).isEmpty();
  }

  @Test
  void noMoreThanAnOrganizationMayHaveAlsoAtOnce() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Boolean>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String id = "whk_" + i;
        calls.add(() -> webhooks.add(webhook(id, Set.of()), new byte[] {1}, 3));
      }
      assertThat(threads.invokeAll(calls).stream().filter(Future::resultNow)).hasSize(3);
    }
  }

  @Test
  void severalInstancesDeliverEveryEventOnceAndInOrder() throws Exception {
    add(Set.of());
    String[] sandboxes = {"sbx_a", "sbx_b", "sbx_c"};
    int each = 30;
    List<String> heard = new CopyOnWriteArrayList<>();
    AtomicInteger tries = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> work = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        String instance = "i" + i + "-";
        work.add(
            threads.submit(
                () -> {
                  int round = 0;
                  while (heard.size() < each * sandboxes.length && round < 100_000) {
                    plan(START);
                    String sender = instance + round++;
                    for (Delivery delivery :
                        deliveries.claim(HOOK, sender, START, START.plusSeconds(15), 2)) {
                      heard.add(delivery.eventId());
                      tries.incrementAndGet();
                      assertThat(finish(delivery, sender, taken(START))).isEmpty();
                    }
                  }
                }));
      }
      for (int i = 0; i < each; i++) {
        happen(sandboxes);
      }
      for (Future<?> one : work) {
        one.get();
      }
    }
    assertThat(tries).hasValue(each * sandboxes.length);
    for (String sandbox : sandboxes) {
      assertThat(heard.stream().filter(id -> id.startsWith(sandbox + "-")))
          .containsExactlyElementsOf(
              LongStream.rangeClosed(1, each).mapToObj(i -> sandbox + "-" + i).toList());
    }
  }
}
