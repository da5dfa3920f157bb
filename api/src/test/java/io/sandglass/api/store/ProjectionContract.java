package io.sandglass.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.EgressMode;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.ExecutionRecord;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.Quota;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Status;
import io.sandglass.api.domain.Template;
import io.sandglass.api.domain.Usage;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every database must do alike. */
abstract class ProjectionContract {
  private static final Instant START = Instant.ofEpochMilli(1_793_000_000_123L);
  private static final String ORG = "org_1";

  private Jdbi jdbi;
  private ProjectionStore projection;

  abstract DataSource dataSource();

  @BeforeEach
  void emptyTables() {
    Database.migrate(dataSource());
    Database.migrate(dataSource());
    jdbi = Jdbi.create(dataSource());
    projection = new ProjectionStore(jdbi);
    projection.clear();
    jdbi.useHandle(
        handle ->
            List.of(
                    "commands",
                    "idempotency",
                    "sandbox_keys",
                    "api_keys",
                    "quotas",
                    "reservations",
                    "organizations")
                .forEach(table -> handle.execute("DELETE FROM " + table)));
  }

  private static SandboxSpec spec(Mode mode) {
    return new SandboxSpec(
        new Template("tpl_base", "base", "sandglass/base:0.1.0"),
        mode,
        new Size("shared-cpu-1x", 1_000, 256L << 20),
        new EgressPolicy(EgressMode.DENY_ALL, List.of("203.0.113.128/25"), List.of(), List.of(443)),
        mode == Mode.EPHEMERAL ? Duration.ofMinutes(5) : null,
        mode == Mode.PERSISTENT ? Duration.ofMinutes(10) : null,
        new SealedEnv(List.of("A"), new byte[] {0, 1, -1}),
        Map.of("key", "välue ☃ \"quoted\"", "other", "x"));
  }

  private static SandboxEvent event(String id, long version, Status after, Fact fact) {
    return new SandboxEvent(
        new EventHeader(
            id + "-" + version,
            id,
            ORG,
            version,
            START.plusMillis(version),
            fact instanceof Fact.StopRequested ? START : null,
            "command",
            "key:key_1",
            "req",
            null,
            after,
            1,
            "node-1"),
        fact);
  }

  private static List<SandboxEvent> life(String id) {
    return List.of(
        event(
            id,
            1,
            Status.CREATING,
            new Fact.SandboxRequested(spec(Mode.EPHEMERAL), START.plusSeconds(300))),
        event(id, 2, Status.RUNNING, new Fact.SandboxStarted(false)),
        event(
            id,
            3,
            Status.RUNNING,
            new Fact.ExecutionStarted("exe_1", "command", "echo 'ü'\n", Duration.ofSeconds(30))),
        event(
            id,
            4,
            Status.RUNNING,
            new Fact.ExecutionFinished("exe_1", "command", 0, false, false, 3, 0, 0, 12, null)),
        event(id, 5, Status.RUNNING, new Fact.TimeoutExtended(START.plusSeconds(900))),
        event(id, 6, Status.RUNNING, new Fact.EgressChanged(EgressPolicy.ALLOW_ALL)),
        event(id, 7, Status.DESTROYED, new Fact.StopRequested("expired", "its time was up", 1)),
        event(id, 8, Status.DESTROYED, new Fact.SandboxEnded("expired", "its time was up", null)));
  }

  @Test
  void everyRowThatTheEventsDoNotTellOfIsNamed() {
    org.h2.jdbcx.JdbcDataSource beside = new org.h2.jdbcx.JdbcDataSource();
    beside.setURL(
        "jdbc:h2:mem:beside;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;DEFAULT_NULL_ORDERING=HIGH"
            + ";DB_CLOSE_DELAY=-1");
    Database.migrate(beside);
    Jdbi folded = Jdbi.create(beside);
    projection.apply(List.of(batch(0, life("sbx_1"))));
    projection.apply(List.of(batch(8, life("sbx_2").subList(0, 5))));
    assertThat(differences(folded)).isEmpty();
    jdbi.useHandle(
        handle -> {
          handle.execute("UPDATE sandboxes SET node_id = 'elsewhere' WHERE id = 'sbx_2'");
          handle.execute("UPDATE events SET actor = 'nobody' WHERE event_id = 'sbx_1-3'");
          handle.execute("DELETE FROM events WHERE event_id = 'sbx_1-4'");
          handle.execute("UPDATE events SET version = 99 WHERE event_id = 'sbx_2-5'");
          handle.execute("UPDATE executions SET exit_code = 7 WHERE sandbox_id = 'sbx_1'");
        });
    assertThat(differences(folded))
        .containsExactlyInAnyOrder(
            "projection sandboxes id=sbx_2: node_id is elsewhere, but the log says node-1",
            "projection events sandbox_id=sbx_1 version=3: actor is nobody, but the log says"
                + " key:key_1",
            "projection events sandbox_id=sbx_1 version=4: the row is missing",
            "projection events sandbox_id=sbx_2 version=99: no event tells of this row",
            "projection events sandbox_id=sbx_2 version=5: the row is missing",
            "projection executions sandbox_id=sbx_1 id=exe_1: exit_code is 7, but the log says 0");
  }

  private List<String> differences(Jdbi folded) {
    ProjectionStore fresh = new ProjectionStore(folded);
    fresh.clear();
    fresh.apply(List.of(batch(0, life("sbx_1"))));
    fresh.apply(List.of(batch(8, life("sbx_2").subList(0, 5))));
    List<String> found = new ArrayList<>();
    jdbi.useHandle(
        actual ->
            folded.useHandle(
                expected -> {
                  var _ = ProjectionCheck.compare(actual, expected, found::add);
                }));
    return found;
  }

  private static LogBatch batch(long from, List<SandboxEvent> events) {
    List<LogBatch.Read> reads = new ArrayList<>();
    long offset = from;
    for (SandboxEvent event : events) {
      reads.add(new LogBatch.Read(offset++, new LogEntry.Happened(event)));
    }
    return new LogBatch("sandbox.events", 3, reads, offset);
  }

  @Test
  void aLifeIsFolded() {
    assertThat(projection.apply(List.of(batch(0, life("sbx_1").subList(0, 6)))))
        .containsExactly("sbx_1");

    Sandbox running = new SandboxStore(jdbi).find("sbx_1").orElseThrow();
    assertThat(running.status()).isEqualTo(Status.RUNNING);
    assertThat(running.spec()).isEqualTo(spec(Mode.EPHEMERAL).withEgress(EgressPolicy.ALLOW_ALL));
    assertThat(running.times())
        .isEqualTo(
            new Sandbox.Times(
                START.plusMillis(1),
                START.plusMillis(2),
                START.plusSeconds(900),
                START.plusMillis(4),
                null,
                null));
    assertThat(running.version()).isEqualTo(6);
  }

  @Test
  void refusalsAreToldOfSandboxesThatEndedAndOfOrganizationsThemselves() {
    Fact refused = new Fact.RequestRefused("foreign_organization", "getSandbox", "No.", 3);
    Fact beyond = new Fact.RequestRefused("quota_exceeded", "createSandbox", "No.", 0);
    List<SandboxEvent> all = new ArrayList<>(life("sbx_1"));
    all.add(event("sbx_1", 9, Status.DESTROYED, refused));
    all.add(event(ORG, 1, Status.ABSENT, beyond));
    all.add(event(ORG, 2, Status.ABSENT, beyond));

    assertThat(projection.apply(List.of(batch(0, all)))).containsExactlyInAnyOrder("sbx_1", ORG);
    String before = ContentHash.of(jdbi);
    assertThat(projection.apply(List.of(batch(0, all)))).isEmpty();
    assertThat(ContentHash.of(jdbi)).isEqualTo(before);

    Sandbox ended = new SandboxStore(jdbi).find("sbx_1").orElseThrow();
    assertThat(ended.version()).isEqualTo(9);
    assertThat(ended.times().destroyedAt()).isEqualTo(START.plusMillis(7));
    assertThat(ended.reason()).isEqualTo(new Sandbox.Reason("expired", "its time was up"));
    assertThat(new SandboxStore(jdbi).find(ORG)).isEmpty();
    EventStore events = new EventStore(jdbi, "sandbox.events");
    assertThat(events.asOf(ended, START.plusMillis(9))).contains(ended);
    assertThat(events.history("sbx_1", 8, 10))
        .extracting(EventStore.Stored::data)
        .containsExactly(
            "{\"code\":\"foreign_organization\",\"operation\":\"getSandbox\",\"detail\":\"No.\","
                + "\"suppressed\":3}");
    assertThat(
            events
                .page(
                    new EventStore.Query(ORG, Set.of("RequestRefused"), null, null),
                    HistoryCursor.START,
                    10)
                .events())
        .extracting(stored -> stored.header().eventId(), stored -> stored.header().statusAfter())
        .containsExactly(
            tuple("sbx_1-9", Status.DESTROYED),
            tuple(ORG + "-1", Status.ABSENT),
            tuple(ORG + "-2", Status.ABSENT));
  }

  @Test
  void theEndForgetsTheKeyAndTheSealedValues() {
    SandboxKeyStore keys = new SandboxKeyStore(jdbi);
    keys.add("sbx_1", new byte[] {1, 2, 3}, START);
    keys.add("sbx_1", new byte[] {9}, START);
    assertThat(keys.find("sbx_1"))
        .hasValueSatisfying(key -> assertThat(key).containsExactly(1, 2, 3));

    var _ = projection.apply(List.of(batch(0, life("sbx_1"))));

    assertThat(keys.find("sbx_1")).isEmpty();
    Sandbox ended = new SandboxStore(jdbi).find("sbx_1").orElseThrow();
    assertThat(ended.spec().env()).isEqualTo(new SealedEnv(List.of("A"), null));
    assertThat(ended.reason()).isEqualTo(new Sandbox.Reason("expired", "its time was up"));
    assertThat(ended.times().destroyedAt()).isEqualTo(START.plusMillis(7));
  }

  @Test
  void whatComesTwiceChangesNothing() {
    LogBatch whole = batch(0, life("sbx_1"));
    var _ = projection.apply(List.of(whole));
    String before = ContentHash.of(jdbi);

    assertThat(projection.apply(List.of(whole))).isEmpty();
    // The same events at later offsets, as after a log was copied.
    assertThat(projection.apply(List.of(batch(100, life("sbx_1"))))).isEmpty();

    assertThat(ContentHash.of(jdbi)).isEqualTo(before);
    assertThat(projection.nextOffset("sandbox.events", 3)).isEqualTo(OptionalLong.of(108));
  }

  @Test
  void howItIsCutIntoBatchesDoesNotMatter() {
    List<SandboxEvent> all = new ArrayList<>(life("sbx_1"));
    all.addAll(life("sbx_2"));
    var _ = projection.apply(List.of(batch(0, all)));
    String atOnce = ContentHash.of(jdbi);
    projection.clear();
    assertThat(ContentHash.of(jdbi)).isNotEqualTo(atOnce);

    for (int i = 0; i < all.size(); i++) {
      var _ = projection.apply(List.of(batch(i, all.subList(i, i + 1))));
    }

    assertThat(ContentHash.of(jdbi)).isEqualTo(atOnce);
  }

  @Test
  void aBatchThatFailsLeavesNoTrace() {
    LogBatch broken =
        batch(
            0,
            List.of(
                life("sbx_1").getFirst(),
                event("sbx_2", 2, Status.RUNNING, new Fact.SandboxStarted(false))));

    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(() -> projection.apply(List.of(broken))))
        .isInstanceOf(IllegalStateException.class);

    assertThat(new SandboxStore(jdbi).find("sbx_1")).isEmpty();
    assertThat(projection.nextOffset("sandbox.events", 3)).isEmpty();
  }

  private static final Instant TEN = Instant.parse("2026-11-25T10:00:00Z");

  private static Usage.Interval used(
      String id, String sandbox, String state, int fromMinute, int toMinute, String reverses) {
    return new Usage.Interval(
        id,
        ORG,
        sandbox,
        "tpl_base",
        "base",
        new Size("shared-cpu-1x", 1_000, 256L << 20),
        state,
        TEN.plusSeconds(60L * fromMinute),
        TEN.plusSeconds(60L * toMinute),
        reverses);
  }

  private static LogBatch usage(long from, Usage... all) {
    List<LogBatch.Read> reads = new ArrayList<>();
    for (Usage one : all) {
      reads.add(new LogBatch.Read(from + reads.size(), new LogEntry.Used(one)));
    }
    return new LogBatch("sandbox.usage", 0, reads, from + all.length);
  }

  private UsageStore.Report report(int fromMinute, int toMinute, UsageStore.GroupBy... groupBy) {
    return new UsageStore(jdbi)
        .report(
            new UsageStore.Query(
                ORG,
                TEN.plusSeconds(60L * fromMinute),
                TEN.plusSeconds(60L * toMinute),
                Set.of(groupBy)),
            100)
        .orElseThrow();
  }

  private static UsageStore.Sums minutes(long running, long frozen, long stopped) {
    return new UsageStore.Sums(60_000 * running, 60_000 * frozen, 60_000 * stopped);
  }

  @Test
  void usageIsAddedUpAndCutAtTheEdges() {
    var _ =
        projection.apply(
            List.of(
                usage(
                    0,
                    used("a", "sbx_1", "running", 30, 60, null),
                    used("b", "sbx_1", "running", 60, 80, null),
                    used("c", "sbx_1", "frozen", 80, 90, null),
                    used("d", "sbx_2", "stopped", 0, 60, null),
                    used("e", "sbx_2", "stopped", 840, 850, null))));
    UsageStore.Group all = new UsageStore.Group(null, null, null, null, null);

    assertThat(report(0, 900).groups()).isEqualTo(Map.of(all, minutes(50, 10, 70)));
    assertThat(report(59, 61).groups()).isEqualTo(Map.of(all, minutes(2, 0, 1)));
    assertThat(report(85, 900).groups()).isEqualTo(Map.of(all, minutes(0, 5, 10)));
    assertThat(report(200, 300).groups()).isEmpty();
    assertThat(report(0, 900, UsageStore.GroupBy.SANDBOX, UsageStore.GroupBy.DAY).groups())
        .isEqualTo(
            Map.of(
                new UsageStore.Group(LocalDate.parse("2026-11-25"), "sbx_1", null, null, null),
                minutes(50, 10, 0),
                new UsageStore.Group(LocalDate.parse("2026-11-25"), "sbx_2", null, null, null),
                minutes(0, 0, 60),
                new UsageStore.Group(LocalDate.parse("2026-11-26"), "sbx_2", null, null, null),
                minutes(0, 0, 10)));
    assertThat(report(0, 900, UsageStore.GroupBy.SIZE, UsageStore.GroupBy.TEMPLATE).groups())
        .isEqualTo(
            Map.of(
                new UsageStore.Group(null, null, "tpl_base", "base", "shared-cpu-1x"),
                minutes(50, 10, 70)));
    assertThat(
            new UsageStore(jdbi)
                .report(
                    new UsageStore.Query(
                        ORG, TEN, TEN.plusSeconds(100_000), Set.of(UsageStore.GroupBy.SANDBOX)),
                    1))
        .isEmpty();
    assertThat(
            new UsageStore(jdbi)
                .report(new UsageStore.Query("org_2", TEN, TEN.plusSeconds(100_000), Set.of()), 1)
                .orElseThrow()
                .groups())
        .isEmpty();
  }

  @Test
  void usageThatComesAgainCountsOnceAndWhatIsReversedDoesNot() {
    Usage[] all = {
      used("a", "sbx_1", "running", 0, 60, null),
      used("b", "sbx_1", "running", 0, 60, "a"),
      used("c", "sbx_1", "running", 0, 40, null)
    };
    var _ = projection.apply(List.of(usage(0, all)));
    String before = ContentHash.of(jdbi);
    var _ = projection.apply(List.of(usage(0, all)));
    // Computed anew, it stands at other places.
    var _ = projection.apply(List.of(usage(50, all)));

    assertThat(ContentHash.of(jdbi)).isEqualTo(before);
    assertThat(report(0, 900).groups().values()).containsExactly(minutes(40, 0, 0));
    assertThat(report(30, 900).groups().values()).containsExactly(minutes(10, 0, 0));
  }

  @Test
  void usageIsCompleteAsFarAsEveryPartitionSays() {
    var _ = projection.apply(List.of(usage(0, new Usage.Watermark(0, 2, TEN))));
    assertThat(report(0, 1).completeThrough()).isEmpty();

    var _ = projection.apply(List.of(usage(1, new Usage.Watermark(1, 2, TEN.plusSeconds(9)))));
    assertThat(report(0, 1).completeThrough()).contains(TEN);

    var _ =
        projection.apply(
            List.of(
                usage(
                    2,
                    new Usage.Watermark(0, 2, TEN.plusSeconds(20)),
                    new Usage.Watermark(1, 2, TEN.plusSeconds(3)))));
    assertThat(report(0, 1).completeThrough()).contains(TEN.plusSeconds(9));
  }

  @Test
  void historiesAreReadInOrder() {
    var _ = projection.apply(List.of(batch(0, life("sbx_1"))));
    EventStore events = new EventStore(jdbi, "sandbox.events");

    assertThat(events.history("sbx_1", 0, 100))
        .extracting(event -> event.header().version())
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L);
    assertThat(events.history("sbx_1", 2, 1).getFirst().data())
        .contains("\"subject\":\"echo 'ü'\\n\"", "\"timeout\":\"30s\"");
    assertThat(events.history("sbx_1", 6, 1).getFirst().header().dueAt()).isEqualTo(START);
  }

  @Test
  void commandsHaveRecordsThatTheirEndsComplete() {
    List<SandboxEvent> log = new ArrayList<>(life("sbx_1").subList(0, 4));
    log.add(started(5, "exe_2", "detached", Duration.ofHours(2)));
    log.add(started(6, "exe_3", "upload", Duration.ofMinutes(15)));
    log.add(started(7, "exe_4", "detached", Duration.ofHours(2)));
    log.add(
        event(
            "sbx_1",
            8,
            Status.RUNNING,
            new Fact.ExecutionFinished(
                "exe_4", "detached", null, false, true, 9, 8, 0, 7, "lost: the guest is gone")));
    var _ = projection.apply(List.of(batch(0, log)));
    ExecutionStore executions = new ExecutionStore(jdbi);

    assertThat(executions.list("sbx_1", Long.MAX_VALUE, 10))
        .extracting(ExecutionRecord::id)
        .containsExactly("exe_4", "exe_2", "exe_1");
    assertThat(executions.list("sbx_1", 7, 1))
        .extracting(ExecutionRecord::id)
        .containsExactly("exe_2", "exe_1");
    assertThat(executions.find("sbx_1", "exe_1"))
        .contains(
            new ExecutionRecord(
                "sbx_1",
                "exe_1",
                "echo 'ü'\n",
                false,
                Duration.ofSeconds(30),
                "key:key_1",
                3,
                START.plusMillis(3),
                new ExecutionRecord.End(START.plusMillis(4), 0, false, false, 3L, 0L, 12L, null)));
    ExecutionRecord running = executions.find("sbx_1", "exe_2").orElseThrow();
    assertThat(running.detached()).isTrue();
    assertThat(running.end()).isNull();
    assertThat(running.state(START.plus(Duration.ofHours(2))))
        .isEqualTo(ExecutionRecord.State.RUNNING);
    assertThat(running.state(START.plus(Duration.ofHours(3))))
        .isEqualTo(ExecutionRecord.State.LOST);
    ExecutionRecord lost = executions.find("sbx_1", "exe_4").orElseThrow();
    assertThat(lost.state(START)).isEqualTo(ExecutionRecord.State.LOST);
    assertThat(lost.failure(START)).contains("lost: the guest is gone");
    assertThat(executions.find("sbx_2", "exe_1")).isEmpty();
  }

  /** An id begins again when its idempotency key was forgotten. */
  @Test
  void recordsAreTheSameHoweverTheLogIsCut() {
    List<SandboxEvent> log = new ArrayList<>(life("sbx_1").subList(0, 4));
    log.add(started(5, "exe_1", "command", Duration.ofSeconds(7)));
    log.add(started(6, "exe_2", "detached", Duration.ofHours(2)));
    log.add(event("sbx_1", 7, Status.DESTROYED, new Fact.StopRequested("requested", "asked", 1)));
    log.add(event("sbx_1", 8, Status.DESTROYED, new Fact.SandboxEnded("requested", "asked", null)));
    var _ = projection.apply(List.of(batch(0, log)));
    String atOnce = ContentHash.of(jdbi);
    List<ExecutionRecord> records = new ExecutionStore(jdbi).list("sbx_1", Long.MAX_VALUE, 10);
    projection.clear();
    for (int i = 0; i < log.size(); i++) {
      var _ = projection.apply(List.of(batch(i, log.subList(i, i + 1))));
    }

    assertThat(ContentHash.of(jdbi)).isEqualTo(atOnce);
    assertThat(records)
        .hasSize(2)
        .allSatisfy(
            record -> {
              assertThat(record.state(START)).isEqualTo(ExecutionRecord.State.LOST);
              assertThat(record.failure(START))
                  .contains("lost: the sandbox ended before its end was told");
              assertThat(record.end().at()).isEqualTo(START.plusMillis(8));
            });
    jdbi.useHandle(handle -> handle.execute("UPDATE executions SET exit_code = 0"));
    assertThat(ContentHash.of(jdbi)).as("records count").isNotEqualTo(atOnce);
  }

  private static SandboxEvent started(long version, String id, String kind, Duration timeout) {
    return event(
        "sbx_1", version, Status.RUNNING, new Fact.ExecutionStarted(id, kind, "make", timeout));
  }

  private static LogBatch batch(int partition, long from, List<SandboxEvent> events) {
    LogBatch one = batch(from, events);
    return new LogBatch(one.topic(), partition, one.entries(), one.nextOffset());
  }

  private List<String> read(HistoryCursor from, int limit) {
    EventStore events = new EventStore(jdbi, "sandbox.events");
    List<String> ids = new ArrayList<>();
    HistoryCursor cursor = from;
    boolean more = true;
    while (more) {
      EventStore.Page page = events.page(everything(), cursor, limit);
      assertThat(page.events()).hasSizeLessThanOrEqualTo(limit);
      page.events().forEach(event -> ids.add(event.header().eventId()));
      cursor = HistoryCursor.parse(page.end().text()).orElseThrow();
      more = page.more();
    }
    return ids;
  }

  private static EventStore.Query everything() {
    return new EventStore.Query(ORG, Set.of(), null, null);
  }

  @Test
  void anOrganizationsHistoryIsMergedByTime() {
    var _ =
        projection.apply(
            List.of(batch(0, 10, life("sbx_a")), batch(5, 3, life("sbx_b").subList(0, 4))));

    List<String> all = read(HistoryCursor.START, 100);

    assertThat(all)
        .containsExactly(
            "sbx_a-1", "sbx_b-1", "sbx_a-2", "sbx_b-2", "sbx_a-3", "sbx_b-3", "sbx_a-4", "sbx_b-4",
            "sbx_a-5", "sbx_a-6", "sbx_a-7", "sbx_a-8");
    for (int limit = 1; limit <= 12; limit++) {
      assertThat(read(HistoryCursor.START, limit)).as("pages of %s", limit).isEqualTo(all);
    }
  }

  @Test
  void whatBecomesVisibleLaterIsNeverBehindACursor() {
    EventStore events = new EventStore(jdbi, "sandbox.events");
    List<String> seen = new ArrayList<>();
    HistoryCursor cursor = HistoryCursor.START;
    List<SandboxEvent> early = life("sbx_early");
    List<SandboxEvent> late = life("sbx_late");
    // The later partition commits first, and its cursor is taken, before the earlier events are
    // there.
    for (int i = 0; i < 8; i++) {
      var _ = projection.apply(List.of(batch(6, i, late.subList(i, i + 1))));
      EventStore.Page page = events.page(everything(), cursor, 100);
      page.events().forEach(event -> seen.add(event.header().eventId()));
      cursor = page.end();
      var _ = projection.apply(List.of(batch(2, i, early.subList(i, i + 1))));
    }
    events.page(everything(), cursor, 100).events().stream()
        .map(event -> event.header().eventId())
        .forEach(seen::add);

    assertThat(seen).hasSize(16).doesNotHaveDuplicates();
    assertThat(seen.stream().filter(id -> id.startsWith("sbx_early"))).isSorted();
    assertThat(seen.stream().filter(id -> id.startsWith("sbx_late"))).isSorted();
  }

  @Test
  void aCursorOutlivesTheProjection() {
    List<LogBatch> log = List.of(batch(0, 0, life("sbx_a")), batch(1, 0, life("sbx_b")));
    var _ = projection.apply(log);
    HistoryCursor half =
        new EventStore(jdbi, "sandbox.events").page(everything(), HistoryCursor.START, 7).end();
    List<String> rest = read(half, 100);

    projection.clear();
    log.reversed().forEach(one -> projection.apply(List.of(one)));

    assertThat(read(half, 100)).isEqualTo(rest).hasSize(9);
  }

  @Test
  void historiesAreFiltered() {
    var _ = projection.apply(List.of(batch(0, 0, life("sbx_a"))));
    EventStore events = new EventStore(jdbi, "sandbox.events");

    EventStore.Page page =
        events.page(
            new EventStore.Query(
                ORG,
                Set.of("SandboxStarted", "SandboxEnded", "EgressChanged"),
                START.plusMillis(2),
                START.plusMillis(8)),
            HistoryCursor.START,
            10);

    assertThat(page.events())
        .extracting(EventStore.Stored::type)
        .containsExactly("SandboxStarted", "EgressChanged");
    assertThat(page.end()).isEqualTo(events.end());
    assertThat(
            events
                .page(new EventStore.Query("org_2", Set.of(), null, null), HistoryCursor.START, 10)
                .events())
        .isEmpty();
  }

  @Test
  void anyMomentIsFoldedToWhatWasShownThen() {
    EventStore events = new EventStore(jdbi, "sandbox.events");
    SandboxStore sandboxes = new SandboxStore(jdbi);
    List<SandboxEvent> slept = new ArrayList<>(life("sbx_a").subList(0, 6));
    slept.add(
        event("sbx_a", 7, Status.SUSPENDED, new Fact.SandboxSuspended("frozen", "exited", null)));
    slept.add(event("sbx_a", 8, Status.RUNNING, new Fact.SandboxResumed()));
    slept.add(event("sbx_a", 9, Status.DESTROYED, new Fact.StopRequested("expired", "over", 1)));
    slept.add(
        event("sbx_a", 10, Status.DESTROYED, new Fact.SandboxEnded("expired", "over", START)));
    List<Sandbox> shown = new ArrayList<>();
    for (int i = 0; i < slept.size(); i++) {
      var _ = projection.apply(List.of(batch(i, slept.subList(i, i + 1))));
      shown.add(sandboxes.find("sbx_a").orElseThrow().withoutEnvValues());
    }
    Sandbox now = sandboxes.find("sbx_a").orElseThrow();

    assertThat(events.asOf(now, START)).isEmpty();
    for (int i = 0; i < slept.size(); i++) {
      assertThat(events.asOf(now, slept.get(i).header().at())).contains(shown.get(i));
    }
    assertThat(events.asOf(now, START.plusSeconds(9999))).contains(now);
  }

  /** A life that is slept through and kept alive, with as many events as that. */
  private static List<SandboxEvent> longLife(String id, int events) {
    List<SandboxEvent> life = new ArrayList<>(life(id).subList(0, 2));
    for (int version = 3; version <= events; version++) {
      life.add(
          switch (version % 5) {
            case 0 ->
                event(id, version, Status.SUSPENDED, new Fact.SuspendRequested("frozen", "idle"));
            case 1 ->
                event(
                    id,
                    version,
                    Status.SUSPENDED,
                    new Fact.SandboxSuspended("frozen", "idle", null));
            case 2 -> event(id, version, Status.RUNNING, new Fact.SandboxResumed());
            case 3 -> event(id, version, Status.RUNNING, new Fact.ActivityRecorded("files"));
            default ->
                event(
                    id,
                    version,
                    Status.RUNNING,
                    new Fact.TimeoutExtended(START.plusSeconds(version)));
          });
    }
    return life;
  }

  @Test
  void aMomentOfALongLifeIsFoldedFromASnapshot() {
    int every = EventStore.SNAPSHOT_EVERY;
    EventStore events = new EventStore(jdbi, "sandbox.events");
    SandboxStore sandboxes = new SandboxStore(jdbi);
    List<SandboxEvent> life = longLife("sbx_a", 2 * every + 20);
    List<Sandbox> shown = new ArrayList<>();
    for (int i = 0; i < life.size(); i++) {
      var _ = projection.apply(List.of(batch(i, life.subList(i, i + 1))));
      shown.add(sandboxes.find("sbx_a").orElseThrow().withoutEnvValues());
    }
    Sandbox now = sandboxes.find("sbx_a").orElseThrow();
    for (int version = 1; version <= life.size(); version++) {
      assertThat(events.asOf(now, life.get(version - 1).header().at()))
          .as("version %s", version)
          .contains(shown.get(version - 1));
    }

    // The same without a single event of before the last snapshot, so none of them is read.
    jdbi.useHandle(
        handle ->
            handle.execute(
                "DELETE FROM events WHERE sandbox_id = ? AND version <= ?", "sbx_a", 2 * every));

    assertThat(events.asOf(now, life.getLast().header().at())).contains(shown.getLast());
    int sealed =
        jdbi.withHandle(
            handle ->
                handle
                    .createQuery("SELECT COUNT(env_sealed) FROM sandbox_snapshots")
                    .mapTo(Integer.class)
                    .one());
    assertThat(sealed).isZero();
  }

  @Test
  void thePastOfOneSandboxIsFoundAmongThatOfMany() {
    for (int i = 0; i < 20; i++) {
      List<SandboxEvent> life = longLife("sbx_" + i, 150);
      var _ = projection.apply(List.of(batch(150L * i, life)));
    }
    jdbi.useHandle(
        handle -> {
          handle.execute("ANALYZE");
          for (String sql : List.of(EventStore.HISTORY, EventStore.LAST_UNTIL)) {
            assertThat(plan(handle, sql))
                .as("%s", sql)
                .containsAnyOf("primary_key", "_pkey", "events_by_time")
                .doesNotContain("tablescan", "seq scan");
          }
        });
  }

  /** How the database goes about it, in its own words. */
  private static String plan(Handle handle, String sql) {
    var query = handle.createQuery("EXPLAIN " + sql).bind("id", "sbx_7");
    Map.of("after", 3L, "until", 9L, "limit", 5, "time", START.toEpochMilli())
        .forEach(
            (name, argument) -> {
              if (sql.contains(":" + name)) {
                query.bind(name, argument);
              }
            });
    return String.join("\n", query.mapTo(String.class).list()).toLowerCase(Locale.ROOT);
  }

  @Test
  void listsFilterAndPage() {
    for (int i = 0; i < 5; i++) {
      var _ = projection.apply(List.of(batch(i, life("sbx_" + i).subList(0, 1))));
    }
    SandboxStore sandboxes = new SandboxStore(jdbi);
    var all =
        new SandboxStore.Listing(
            ORG,
            EnumSet.allOf(Status.class),
            Map.of("key", "välue ☃ \"quoted\"", "other", "x"),
            "base",
            null,
            10);

    List<Sandbox> found = sandboxes.list(all);

    assertThat(found)
        .extracting(Sandbox::id)
        .containsExactly("sbx_4", "sbx_3", "sbx_2", "sbx_1", "sbx_0");
    assertThat(
            sandboxes.list(
                new SandboxStore.Listing(
                    ORG,
                    all.statuses(),
                    all.metadata(),
                    "tpl_base",
                    new SandboxStore.Position(found.get(1).times().createdAt(), "sbx_3"),
                    1)))
        .extracting(Sandbox::id)
        .containsExactly("sbx_2", "sbx_1");
    assertThat(
            sandboxes.list(
                new SandboxStore.Listing(ORG, all.statuses(), Map.of("key", "x"), null, null, 10)))
        .isEmpty();
    assertThat(
            sandboxes.list(
                new SandboxStore.Listing("org_2", all.statuses(), Map.of(), null, null, 10)))
        .isEmpty();
  }

  @Test
  void commandsGoFromPendingToDecided() {
    CommandStore commands = new CommandStore(jdbi);
    commands.pending("cmd_1", "sbx_1", ORG, START);
    assertThat(commands.find("cmd_1").orElseThrow().decision()).isEqualTo(new Decision.Undecided());
    CommandResult decided =
        new CommandResult(
            "cmd_1", "sbx_1", ORG, new Decision.Rejected("no_capacity", "Expected room", 0), START);

    var _ =
        projection.apply(
            List.of(
                new LogBatch(
                    "sandbox.outcomes",
                    0,
                    List.of(new LogBatch.Read(0, new LogEntry.Decided(decided))),
                    1)));
    commands.pending("cmd_1", "sbx_1", ORG, START);

    assertThat(commands.find("cmd_1")).isEqualTo(Optional.of(decided));
    assertThat(commands.deleteBefore(START.plusMillis(1))).isEqualTo(1);
  }

  @Test
  void idempotencyKeysAreReservedOnce() {
    IdempotencyStore store = new IdempotencyStore(jdbi);
    assertThat(store.reserve(ORG, "k", "f1", START)).isTrue();
    assertThat(store.reserve(ORG, "k", "f2", START)).isFalse();
    assertThat(store.reserve("org_2", "k", "f2", START)).isTrue();
    assertThat(store.find(ORG, "k").orElseThrow().answer()).isEmpty();
    byte[] large = new byte[3 << 20];
    large[large.length - 1] = 7;

    store.answer(ORG, "k", new IdempotencyStore.Answer(201, "{}", large));
    store.answer(ORG, "k", new IdempotencyStore.Answer(500, "{}", new byte[0]));
    store.release(ORG, "k");
    store.release("org_2", "k");

    IdempotencyStore.Answer kept = store.find(ORG, "k").orElseThrow().answer().orElseThrow();
    assertThat(kept.status()).isEqualTo(201);
    assertThat(kept.sealedBody()).isEqualTo(large);
    assertThat(store.find("org_2", "k")).isEmpty();
  }

  @Test
  void noMoreIsReservedThanThereIsHoweverManyAskAtOnce() throws Exception {
    new AccountStore(jdbi).add(new AccountStore.Organization(ORG, "tests", START));
    QuotaStore quotas = new QuotaStore(jdbi);
    Size size = new Size("shared-cpu-1x", 1_000, 256L << 20);
    quotas.put(ORG, new Quota.Wish(9L, null, null, 3));
    quotas.put(ORG, new Quota.Wish(5L, null, 7L, null));
    assertThat(quotas.wish(ORG)).isEqualTo(new Quota.Wish(5L, null, 7L, null));
    assertThat(quotas.wish("org_2")).isEqualTo(Quota.Wish.NONE);

    List<Future<Optional<Quota.Use>>> asked = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < 24; i++) {
        String id = "sbx_" + i;
        asked.add(
            threads.submit(
                () ->
                    quotas.reserve(
                        ORG,
                        id,
                        size,
                        START,
                        (wish, use) -> use.liveSandboxes() <= wish.liveSandboxes())));
      }
    }
    int refused = 0;
    for (Future<Optional<Quota.Use>> answer : asked) {
      if (answer.get().isPresent()) {
        assertThat(answer.get().get().liveSandboxes()).isEqualTo(6);
        refused++;
      }
    }

    assertThat(refused).isEqualTo(19);
    assertThat(quotas.use(ORG)).isEqualTo(new Quota.Use(5, 5_000, 5 * (256L << 20)));
    assertThat(quotas.use("org_2")).isEqualTo(new Quota.Use(0, 0, 0));
  }

  @Test
  void aShareIsHeldFromTheRequestToTheEnd() {
    QuotaStore quotas = new QuotaStore(jdbi);
    new AccountStore(jdbi).add(new AccountStore.Organization(ORG, "tests", START));
    Size size = new Size("shared-cpu-1x", 1_000, 256L << 20);
    for (String id : List.of("sbx_1", "sbx_1", "sbx_no", "sbx_lost")) {
      assertThat(quotas.reserve(ORG, id, size, START, (_, _) -> true)).isEmpty();
    }
    assertThat(quotas.use(ORG).liveSandboxes()).isEqualTo(3);

    // Seen in the log without having been reserved: it counts all the same.
    var _ = projection.apply(List.of(batch(0, life("sbx_1").subList(0, 6))));
    var _ = projection.apply(List.of(batch(6, life("sbx_2").subList(0, 2))));
    assertThat(quotas.use(ORG).liveSandboxes()).isEqualTo(4);
    // Refused for want of room; and refused because of what it is doing, which is no end.
    var _ = projection.apply(List.of(refusals(8, "sbx_no", 0), refusals(9, "sbx_2", 2)));
    assertThat(quotas.use(ORG).liveSandboxes()).isEqualTo(3);
    assertThat(quotas.deleteOrphansBefore(START)).isZero();
    assertThat(quotas.deleteOrphansBefore(START.plusMillis(1))).isEqualTo(1);
    assertThat(quotas.use(ORG).liveSandboxes()).isEqualTo(2);

    var _ = projection.apply(List.of(batch(10, life("sbx_1").subList(6, 8))));

    assertThat(quotas.use(ORG).liveSandboxes()).isEqualTo(1);
    quotas.release("sbx_2");
    assertThat(quotas.use(ORG).liveSandboxes()).isZero();
  }

  private static LogBatch refusals(long offset, String sandboxId, long version) {
    LogEntry entry =
        new LogEntry.Decided(
            new CommandResult(
                "cmd_" + offset,
                sandboxId,
                ORG,
                new Decision.Rejected("no_capacity", "Expected room", version),
                START));
    return new LogBatch("sandbox.outcomes", (int) offset, List.of(new LogBatch.Read(0, entry)), 1);
  }

  @Test
  void keysAreRevokedOnceAndForAll() {
    AccountStore accounts = new AccountStore(jdbi);
    accounts.add(new AccountStore.Organization(ORG, "tests", START));
    accounts.add(new AccountStore.Organization(ORG, "again", START));
    var key =
        new AccountStore.StoredKey(
            "key_1",
            ORG,
            "ci",
            Set.of(Scope.SANDBOXES_READ, Scope.USAGE_READ),
            "hash",
            START,
            START.plusSeconds(60),
            null,
            null);
    accounts.add(key);

    assertThat(accounts.key("key_1")).contains(key);
    assertThat(accounts.revoke("org_2", "key_1", START)).isFalse();
    assertThat(accounts.revoke(ORG, "key_1", START)).isTrue();
    assertThat(accounts.revoke(ORG, "key_1", START.plusSeconds(1))).isTrue();
    assertThat(accounts.keys(ORG).getFirst().revokedAt()).isEqualTo(START);
    Instant minute = START.minusSeconds(60);
    accounts.used("key_1", START, minute);
    accounts.used("key_1", START.plusSeconds(59), minute.plusSeconds(59));
    assertThat(accounts.keys(ORG).getFirst().lastUsedAt()).isEqualTo(START);
    accounts.used("key_1", START.plusSeconds(60), minute.plusSeconds(60));
    assertThat(accounts.keys(ORG).getFirst().lastUsedAt()).isEqualTo(START.plusSeconds(60));
    assertThat(accounts.organizations())
        .extracting(AccountStore.Organization::name)
        .containsExactly("tests");
  }
}
