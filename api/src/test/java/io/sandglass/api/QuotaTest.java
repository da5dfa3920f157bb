package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What organizations may have, with two instances of the API on one database. */
final class QuotaTest {
  private static final String BASE = "{\"template\":\"base\"}";
  private static final int IN_FLIGHT = 64;

  private static InProcessLog log;
  private static RunningApi one;
  private static RunningApi two;

  private String org;
  private String key;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    Map<String, String> settings =
        Map.of("SANDGLASS_REQUESTS_IN_FLIGHT", Integer.toString(IN_FLIGHT));
    one = RunningApi.start(data, log, settings);
    two = RunningApi.start(data, log, settings);
  }

  @AfterAll
  static void stop() throws Exception {
    two.stop();
    one.stop();
  }

  @BeforeEach
  void anOrganizationOfItsOwn() {
    log.mood(InProcessLog.Mood.WORKING);
    log.engine().startSandboxes(true);
    org = admin("POST", "/v1/admin/organizations", "{\"name\":\"quota\"}").text("id");
    key = one.bootstrap().newKey(org, "quota").apiKey();
  }

  @Test
  void aQuotaIsWhatWasSaidOverTheDefaults() {
    Answer defaults = quota("GET", null);
    assertThat(defaults.body().path("live_sandboxes").asInt()).isEqualTo(1000);
    assertThat(defaults.body().path("used").toString())
        .isEqualTo("{\"live_sandboxes\":0,\"cpu_millis\":0,\"memory_mb\":0}");

    Answer set = quota("PUT", "{\"live_sandboxes\":2,\"memory_mb\":null}");
    assertThat(set.status()).isEqualTo(200);
    assertThat(create(one, "{\"template\":\"base\",\"size\":\"performance-1x\"}").status())
        .isEqualTo(201);

    Answer shown = quota("GET", null);
    assertThat(shown.body().path("live_sandboxes").asInt()).isEqualTo(2);
    assertThat(shown.body().path("memory_mb")).isEqualTo(defaults.body().path("memory_mb"));
    assertThat(shown.body().path("used").toString())
        .isEqualTo("{\"live_sandboxes\":1,\"cpu_millis\":1000,\"memory_mb\":2048}");
    assertThat(quota("PUT", "{}").body().path("live_sandboxes").asInt()).isEqualTo(1000);
    for (String wrong :
        List.of(
            "{\"live_sandboxes\":-1}",
            "{\"creates_per_second\":0}",
            "{\"cpu_millis\":1.5}",
            "{\"memory_mb\":\"1\"}",
            "{\"memory_mb\":1000000001}",
            "{\"sandboxes\":1}")) {
      assertThat(quota("PUT", wrong).text("code")).as(wrong).isEqualTo("invalid_request");
    }
    assertThat(admin("GET", "/v1/admin/organizations/org_none/quota", null).text("code"))
        .isEqualTo("organization_not_found");
  }

  @Test
  void liveSandboxesAreCountedExactlyWhicheverInstanceIsAsked() throws Exception {
    assertThat(quota("PUT", "{\"live_sandboxes\":10}").status()).isEqualTo(200);
    List<Answer> answers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer>> creating = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        RunningApi asked = i % 2 == 0 ? one : two;
        creating.add(threads.submit(() -> create(asked, BASE)));
      }
      for (Future<Answer> created : creating) {
        answers.add(created.get());
      }
    }

    List<Answer> made = answers.stream().filter(answer -> answer.status() == 201).toList();
    assertThat(made).hasSize(10);
    for (Answer answer : answers) {
      if (answer.status() != 201) {
        assertThat(answer.status()).as("%s", answer.body()).isEqualTo(429);
        assertThat(answer.text("code")).isEqualTo("quota_exceeded");
        assertThat(answer.text("detail")).contains("10 live sandboxes");
        assertThat(answer.header("Retry-After")).isEqualTo("2");
        assertThat(answer.header("RateLimit-Remaining")).isEqualTo("0");
        assertThat(answer.header("RateLimit-Reset")).isEqualTo("2");
      }
    }
    assertThat(used("live_sandboxes")).isEqualTo(10);
    for (Answer answer : made.subList(0, 3)) {
      assertThat(one.send(as(key, one, "/v1/sandboxes/" + answer.text("id")).DELETE()).status())
          .isEqualTo(204);
    }
    assertThat(used("live_sandboxes")).isEqualTo(7);
    for (int i = 0; i < 3; i++) {
      assertThat(create(two, BASE).status()).isEqualTo(201);
    }
    assertThat(create(one, BASE).status()).isEqualTo(429);
  }

  @Test
  void processorsAndMemoryCountToo() {
    assertThat(quota("PUT", "{\"cpu_millis\":2000}").status()).isEqualTo(200);
    assertThat(create(one, "{\"template\":\"base\",\"size\":\"performance-4x\"}").text("detail"))
        .contains("2000")
        .contains("4000");
    assertThat(create(one, "{\"template\":\"base\",\"size\":\"shared-cpu-4x\"}").status())
        .isEqualTo(201);
    assertThat(create(one, BASE).text("code")).isEqualTo("quota_exceeded");

    assertThat(quota("PUT", "{\"memory_mb\":1300}").status()).isEqualTo(200);
    assertThat(create(one, "{\"template\":\"base\",\"size\":\"shared-cpu-2x\"}").text("detail"))
        .contains("1300")
        .contains("1536");
    assertThat(create(one, BASE).status()).isEqualTo(201);
  }

  @Test
  void whatNeverCameToBeHoldsNothing() {
    assertThat(quota("PUT", "{\"live_sandboxes\":1}").status()).isEqualTo(200);
    log.mood(InProcessLog.Mood.DOWN);
    assertThat(create(one, BASE).status()).isEqualTo(503);
    assertThat(used("live_sandboxes")).isZero();

    log.mood(InProcessLog.Mood.SLOW);
    assertThat(create(one, BASE).status()).isEqualTo(202);
    assertThat(used("live_sandboxes")).isEqualTo(1);
    assertThat(create(two, BASE).text("code")).isEqualTo("quota_exceeded");
    log.mood(InProcessLog.Mood.WORKING);
    log.decideNow();
    assertThat(used("live_sandboxes")).isEqualTo(1);
  }

  @Test
  void aRepeatedRequestTakesItsShareOnceAndARefusedOneMayComeAgain() {
    assertThat(quota("PUT", "{\"live_sandboxes\":1}").status()).isEqualTo(200);
    Answer first = create(one, BASE, "Idempotency-Key", "a");
    assertThat(create(two, BASE, "Idempotency-Key", "a").text("id")).isEqualTo(first.text("id"));
    assertThat(create(two, BASE, "Idempotency-Key", "b").text("code")).isEqualTo("quota_exceeded");

    assertThat(quota("PUT", "{\"live_sandboxes\":2}").status()).isEqualTo(200);

    assertThat(create(two, BASE, "Idempotency-Key", "b").status()).isEqualTo(201);
    assertThat(used("live_sandboxes")).isEqualTo(2);
  }

  @Test
  void whoCreatesTooQuicklyIsToldWhenToComeBackAndNobodyElseIs() {
    assertThat(quota("PUT", "{\"creates_per_second\":1}").status()).isEqualTo(200);
    Answer first = create(one, BASE);
    assertThat(first.header("RateLimit-Limit")).isEqualTo("1");
    assertThat(first.header("RateLimit-Policy")).isEqualTo("1;w=1");
    assertThat(first.header("RateLimit-Remaining")).isEqualTo("0");

    // However slow this machine is: of ten at once, one comes too early sooner or later.
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              List<CompletableFuture<Answer>> burst = new ArrayList<>();
              for (int i = 0; i < 10; i++) {
                burst.add(CompletableFuture.supplyAsync(() -> create(one, BASE)));
              }
              List<Answer> refused =
                  burst.stream()
                      .map(CompletableFuture::join)
                      .filter(answer -> answer.status() == 429)
                      .toList();
              assertThat(refused).isNotEmpty();
              for (Answer answer : refused) {
                assertThat(answer.text("code")).isEqualTo("too_many_requests");
                assertThat(answer.header("Retry-After")).isEqualTo("1");
                assertThat(answer.header("RateLimit-Reset")).isEqualTo("1");
                assertThat(answer.header("RateLimit-Remaining")).isEqualTo("0");
              }
            });
    assertThat(one.post("/v1/sandboxes", BASE).status()).isEqualTo(201);
  }

  @Test
  void manyRequestsAtWorkOfOneOrganizationDoNotStopAnothers() {
    log.engine().startSandboxes(false);
    List<CompletableFuture<Answer>> waiting = new ArrayList<>();
    for (int i = 0; i < IN_FLIGHT; i++) {
      waiting.add(
          CompletableFuture.supplyAsync(
              () -> create(one, BASE, "Prefer", "wait=100"), Thread::startVirtualThread));
    }
    await().atMost(Duration.ofSeconds(60)).until(() -> asked().size() == IN_FLIGHT);

    Answer tooMany = one.send(as(key, one, "/v1/sizes").GET());
    assertThat(tooMany.status()).isEqualTo(429);
    assertThat(tooMany.text("code")).isEqualTo("too_many_requests");
    assertThat(tooMany.header("Retry-After")).isEqualTo("1");
    assertThat(tooMany.header("RateLimit-Limit")).isEqualTo(Integer.toString(IN_FLIGHT));
    assertThat(one.get("/v1/sizes").status()).isEqualTo(200);
    assertThat(two.send(as(key, two, "/v1/sizes").GET()).status()).isEqualTo(200);

    asked().forEach(id -> log.happened(log.engine().started(id)));
    waiting.forEach(answer -> assertThat(answer.join().status()).isEqualTo(201));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> one.send(as(key, one, "/v1/sizes").GET()).status() == 200);
  }

  private List<String> asked() {
    return log.received().stream()
        .filter(Command.Create.class::isInstance)
        .map(Command::header)
        .filter(header -> header.orgId().equals(org))
        .map(Command.Header::sandboxId)
        .toList();
  }

  private int used(String what) {
    return quota("GET", null).body().path("used").path(what).asInt();
  }

  private Answer quota(String method, String body) {
    return admin(method, "/v1/admin/organizations/" + org + "/quota", body);
  }

  private Answer create(RunningApi asked, String body, String... headers) {
    var request =
        as(key, asked, "/v1/sandboxes")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return asked.send(request);
  }

  private static java.net.http.HttpRequest.Builder as(String key, RunningApi asked, String path) {
    return asked.request(path).header("Authorization", "Bearer " + key);
  }

  private static Answer admin(String method, String path, String body) {
    var request =
        as(RunningApi.ADMIN_KEY, one, path)
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    return one.send(body == null ? request : request.header("Content-Type", "application/json"));
  }
}
