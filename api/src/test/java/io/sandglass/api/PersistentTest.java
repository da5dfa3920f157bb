package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sandboxes that sleep, on an engine and a node that say what the test wants them to. */
final class PersistentTest {
  private static final String EXIT =
      "{\"exit_code\":0,\"duration_ms\":1,\"timed_out\":false,\"truncated\":false,"
          + "\"stdout_bytes\":0,\"stderr_bytes\":0}";

  /**
   * @param wake version of the order that is to be waited for; 0 for none
   */
  private record Asked(String path, String query, String body, long wake) {
    private static final Pattern WAKE = Pattern.compile("\\bwake\"?[=:](\\d+)");

    static Asked of(Request request, String body) {
      String query = String.valueOf(request.getHttpURI().getQuery());
      Matcher wake = WAKE.matcher(query + " " + body);
      return new Asked(
          request.getHttpURI().getPath(),
          query,
          body,
          wake.find() ? Long.parseLong(wake.group(1)) : 0);
    }
  }

  private static InProcessLog log;
  private static RunningApi api;
  private static Server node;

  /** How often the node turns a call down, as one that is just freezing the sandbox. */
  private static final AtomicInteger refusals = new AtomicInteger();

  /** What the node says to calls that wait for a wake; null where it lets them in. */
  private static final AtomicReference<Refusal> toWaiting = new AtomicReference<>();

  /** Whether the node has frozen ones awake when it is asked to. */
  private static final AtomicBoolean thaws = new AtomicBoolean();

  /** Whether the node turns calls down until it is asked to thaw. */
  private static final AtomicBoolean frozen = new AtomicBoolean();

  private static final List<Asked> asked = new CopyOnWriteArrayList<>();

  private record Refusal(int status, String code) {
    static final Refusal NOT_RUNNING = new Refusal(409, "not_running");
    static final Refusal NOT_READY = new Refusal(503, "not_ready");
  }

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    node.setHandler(new Node());
    node.start();
    log.dataPlane(node.getURI());
  }

  /** Like a real node, it asks for a file only when it wants to have it. */
  private static final class Node extends Handler.Abstract {
    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
      String path = request.getHttpURI().getPath();
      if (path.endsWith("/thaw")) {
        if (thaws.get()) {
          frozen.set(false);
        }
        response.setStatus(thaws.get() ? 204 : 409);
        callback.succeeded();
        return true;
      }
      boolean racing = frozen.get() || refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
      Asked call = Asked.of(request, "");
      boolean mayRead =
          request.getMethod().equals("POST")
              || (!racing && (call.wake() == 0 || toWaiting.get() == null));
      if (mayRead) {
        call = Asked.of(request, Content.Source.asString(request));
      }
      asked.add(call);
      Refusal refusal = racing ? Refusal.NOT_RUNNING : call.wake() == 0 ? null : toWaiting.get();
      if (refusal != null) {
        response.setStatus(refusal.status());
        say(
            response,
            callback,
            "{\"code\":\"%s\",\"detail\":\"the sandbox is SUSPENDING\"}".formatted(refusal.code()));
      } else if (request.getMethod().equals("PUT")) {
        response.setStatus(204);
        callback.succeeded();
      } else if (path.endsWith("/content")) {
        say(response, callback, "hello");
      } else if (path.endsWith("/files")) {
        say(response, callback, "{\"entries\":[],\"more\":false}");
      } else {
        say(response, callback, "X\0\0\0" + (char) EXIT.length() + EXIT);
      }
      return true;
    }

    private static void say(Response response, Callback callback, String text) {
      response.getHeaders().put("Content-Length", text.length());
      response.write(true, ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), callback);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop();
  }

  @BeforeEach
  void fresh() {
    asked.clear();
    refusals.set(0);
    toWaiting.set(null);
    thaws.set(false);
    frozen.set(false);
    log.mood(InProcessLog.Mood.WORKING);
    log.engine().startSandboxes(true);
    log.engine().wakeSandboxes(true);
  }

  private static String persistent() {
    return api.post(
            "/v1/sandboxes",
            "{\"template\":\"base\",\"mode\":\"persistent\",\"idle_timeout\":\"90s\"}")
        .text("id");
  }

  private static String asleep() {
    String id = persistent();
    assertThat(suspend(id).status()).isEqualTo(200);
    return id;
  }

  private static Answer suspend(String id, String... headers) {
    return api.post("/v1/sandboxes/" + id + "/suspend", "", headers);
  }

  private static Answer wake(String id, String... headers) {
    return api.post("/v1/sandboxes/" + id + "/wake", "", headers);
  }

  private static Answer execute(String id, String... headers) {
    return api.post("/v1/sandboxes/" + id + "/execute", "{\"command\":\"x\"}", headers);
  }

  private static Answer get(String id) {
    return api.get("/v1/sandboxes/" + id);
  }

  private static List<String> types(String id) {
    return api.get("/v1/sandboxes/" + id + "/events").body().findValuesAsText("type");
  }

  @Test
  void itIsSuspendedAndWokenOnRequest() {
    String id = persistent();
    assertThat(get(id).text("idle_timeout")).isEqualTo("1m30s");

    Answer suspended = suspend(id);

    assertThat(suspended.status()).isEqualTo(200);
    assertThat(suspended.text("status")).isEqualTo("suspended");
    assertThat(suspended.text("suspended_at")).isNotNull();
    assertThat(get(id).text("reason")).isEqualTo("requested");
    assertThat(get(id).text("reason_detail")).contains("on request", "memory is kept");

    Answer woken = wake(id, "Prefer", "wait=30");

    assertThat(woken.status()).isEqualTo(200);
    assertThat(woken.header("Preference-Applied")).isEqualTo("wait=30");
    assertThat(woken.text("status")).isEqualTo("running");
    assertThat(woken.body().path("suspended_at").isNull()).isTrue();
    assertThat(woken.body().path("reason").isNull()).isTrue();
    assertThat(wake(id).status()).isEqualTo(200);
    assertThat(types(id))
        .containsExactly(
            "SandboxRequested",
            "SandboxStarted",
            "SuspendRequested",
            "SandboxSuspended",
            "ResumeRequested",
            "SandboxResumed",
            "ActivityRecorded");
  }

  @Test
  void whatCannotSleepOrWakeSaysWhy() {
    String ephemeral = api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
    refused(suspend(ephemeral), "not_persistent");
    refused(wake(ephemeral), "cannot_wake");
    log.engine().startSandboxes(false);
    String creating = persistent();
    refused(suspend(creating), "not_running");
    refused(wake(creating), "cannot_wake");
    refused(execute(creating), "not_running");
    String gone = asleepAndDestroyed();
    refused(suspend(gone), "not_running");
    refused(wake(gone), "cannot_wake");
    refused(execute(gone), "not_running");
    assertThat(suspend("sbx_00000000000000000000000000").status()).isEqualTo(404);
    Answer unknownField = api.post("/v1/sandboxes/" + creating + "/wake", "{\"depth\":1}");
    assertThat(unknownField.status()).isEqualTo(400);
    assertThat(asked).isEmpty();
  }

  private static String asleepAndDestroyed() {
    log.engine().startSandboxes(true);
    String id = asleep();
    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
    return id;
  }

  private static void refused(Answer answer, String code) {
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(409);
    assertThat(answer.text("code")).isEqualTo(code);
  }

  @Test
  void aRepetitionGetsTheFirstAnswerAndDoesNothing() {
    String id = persistent();
    Answer first = suspend(id, "Idempotency-Key", "sleep-" + id);
    assertThat(wake(id, "Idempotency-Key", "wake-" + id, "Prefer", "wait=9").text("status"))
        .isEqualTo("running");

    Answer again = suspend(id, "Idempotency-Key", "sleep-" + id);

    assertThat(again.status()).isEqualTo(200);
    assertThat(again.response().body()).isEqualTo(first.response().body());
    assertThat(get(id).text("status")).isEqualTo("running");
    assertThat(wake(id, "Idempotency-Key", "sleep-" + id).status()).isEqualTo(422);
  }

  /** What needs it awake, and the status that it answers. */
  private interface Use {
    Answer of(String id);
  }

  private static final Map<Use, Integer> USES =
      Map.of(
          PersistentTest::execute,
          200,
          id ->
              api.send(
                  api.authorized("/v1/sandboxes/" + id + "/execute")
                      .header("Content-Type", "application/json")
                      .header("Accept", "text/event-stream")
                      .POST(BodyPublishers.ofString("{\"command\":\"x\"}"))),
          200,
          id ->
              api.send(
                  api.authorized("/v1/sandboxes/" + id + "/upload?path=/f")
                      .POST(BodyPublishers.ofString("content"))),
          204,
          id -> api.get("/v1/sandboxes/" + id + "/download?path=/f"),
          200,
          id -> api.get("/v1/sandboxes/" + id + "/files?path=/"),
          200);

  @Test
  void everyUseWakesIt() {
    USES.forEach(
        (use, status) -> {
          asked.clear();
          String id = asleep();

          assertThat(use.of(id).status()).isEqualTo(status);

          assertThat(asked).hasSize(1);
          assertThat(asked.getFirst().wake()).isPositive();
          assertThat(get(id).text("status")).isEqualTo("running");
          assertThat(types(id)).containsOnlyOnce("ResumeRequested");
          assertThat(types(id)).filteredOn("ExecutionStarted"::equals).hasSizeLessThan(2);
        });
  }

  @Test
  void aCallOnOneThatIsThawedIsMadeBesideTheDecision() {
    thaws.set(true);
    USES.forEach(
        (use, status) -> {
          asked.clear();
          String id = asleep();

          assertThat(use.of(id).status()).isEqualTo(status);

          assertThat(asked).extracting(Asked::wake).containsExactly(0L);
          assertThat(get(id).text("status")).isEqualTo("running");
          assertThat(types(id))
              .containsOnlyOnce("SandboxResumed")
              .doesNotContain("ResumeRequested");
          assertThat(types(id).getLast()).isIn("ExecutionStarted", "ActivityRecorded");
        });
  }

  @Test
  void aCallOnOneThatIsFrozenAgainAfterItWasThawedComesAgainAfterTheWake() {
    thaws.set(true);
    USES.forEach(
        (use, status) -> {
          asked.clear();
          String id = asleep();
          refusals.set(1);

          assertThat(use.of(id).status()).isEqualTo(status);

          assertThat(asked).extracting(Asked::wake).containsExactly(0L, 0L);
          assertThat(types(id)).filteredOn("ExecutionStarted"::equals).hasSizeLessThan(2);
        });
  }

  @Test
  void aCallOnOneThatSleepsAgainstTheLogHasItThawed() {
    thaws.set(true);
    USES.forEach(
        (use, status) -> {
          asked.clear();
          String id = persistent();
          frozen.set(true);

          assertThat(use.of(id).status()).isEqualTo(status);

          assertThat(asked).hasSize(2);
          assertThat(types(id)).doesNotContain("ResumeRequested");
        });
  }

  @Test
  void nothingBeginsInOneThatIsThawedWhileTheLogIsAway() {
    thaws.set(true);
    String id = asleep();
    log.mood(InProcessLog.Mood.DOWN);

    assertThat(execute(id).status()).isEqualTo(503);
    assertThat(asked).isEmpty();
    log.mood(InProcessLog.Mood.WORKING);
    assertThat(types(id)).doesNotContain("ExecutionStarted", "SandboxResumed");
  }

  @Test
  void aCallThatIsNotLetInWhileItWaitsComesAgainAfterTheWake() {
    for (Refusal refusal : List.of(Refusal.NOT_RUNNING, Refusal.NOT_READY)) {
      toWaiting.set(refusal);
      USES.forEach(
          (use, status) -> {
            asked.clear();
            String id = asleep();

            assertThat(use.of(id).status()).isEqualTo(status);

            assertThat(asked).hasSize(2);
            assertThat(asked.getFirst().wake()).isPositive();
            assertThat(asked.getLast().wake()).isZero();
            if (status == 204) {
              assertThat(asked.getLast().body()).isEqualTo("content");
            }
            assertThat(types(id)).filteredOn("ExecutionStarted"::equals).hasSizeLessThan(2);
          });
    }
  }

  @Test
  void aCallThatRacesASuspendComesAgainAfterTheWakeAndIsRecordedOnce() {
    USES.forEach(
        (use, status) -> {
          asked.clear();
          String id = persistent();
          refusals.set(3);

          assertThat(use.of(id).status()).isEqualTo(status);

          assertThat(asked).hasSize(4);
          assertThat(asked.stream().map(Asked::query).distinct()).hasSize(1);
          assertThat(asked.stream().limit(3))
              .filteredOn(call -> !call.path().endsWith("/executions"))
              .extracting(Asked::body)
              .allMatch(String::isEmpty);
          if (status == 204) {
            assertThat(asked.getLast().body()).isEqualTo("content");
          }
          assertThat(types(id)).filteredOn("ExecutionStarted"::equals).hasSizeLessThan(2);
          assertThat(log.received().stream().filter(Command.BeginExecution.class::isInstance))
              .filteredOn(command -> command.header().sandboxId().equals(id))
              .hasSizeLessThan(2);
        });
  }

  @Test
  void theWholeUploadArrivesAfterTheWake() {
    String id = persistent();
    refusals.set(2);
    String content = "0123456789".repeat(100_000);

    Answer answer =
        api.send(
            api.authorized("/v1/sandboxes/" + id + "/upload?path=/f")
                .POST(BodyPublishers.ofString(content)));

    assertThat(answer.status()).isEqualTo(204);
    assertThat(asked.getLast().body()).isEqualTo(content);
  }

  @Test
  void theAnswerOfACallThatWakesWaitsUntilTheSandboxIsSeenAwake() {
    log.engine().wakeSandboxes(false);
    String id = asleep();
    CompletableFuture<Answer> execution = CompletableFuture.supplyAsync(() -> execute(id));
    await().atMost(Duration.ofSeconds(30)).until(() -> types(id).contains("ResumeRequested"));
    assertThat(get(id).text("status")).isEqualTo("suspended");
    assertThat(get(id).body().path("reason").isNull()).isTrue();
    await().atMost(Duration.ofSeconds(30)).until(() -> !asked.isEmpty());
    assertThat(execution).isNotDone();

    log.happened(log.engine().told(id, Status.RUNNING, new Fact.SandboxResumed()));

    assertThat(execution.join().status()).isEqualTo(200);
    assertThat(get(id).text("status")).isEqualTo("running");
    assertThat(asked).hasSize(1);
  }

  @Test
  void aWakeThatFailsIsToldAtOnceAndTheSameKeyMayTryAgain() {
    toWaiting.set(Refusal.NOT_RUNNING);
    log.engine().wakeSandboxes(false);
    String id = asleep();
    CompletableFuture<Answer> execution =
        CompletableFuture.supplyAsync(() -> execute(id, "Idempotency-Key", "try-" + id));
    await().atMost(Duration.ofSeconds(30)).until(() -> types(id).contains("ResumeRequested"));

    log.happened(log.engine().told(id, Status.SUSPENDED, new Fact.ResumeFailed("no memory left")));

    Answer failed = execution.join();
    assertThat(failed.status()).isEqualTo(503);
    assertThat(failed.text("code")).isEqualTo("wake_failed");
    assertThat(failed.text("detail")).contains("no memory left");
    assertThat(failed.header("Retry-After")).isNotNull();
    assertThat(get(id).text("reason")).isEqualTo("wake_failed");
    assertThat(asked).extracting(Asked::wake).allMatch(wake -> wake > 0);
    asked.clear();

    log.engine().wakeSandboxes(true);
    assertThat(wake(id, "Prefer", "wait=30").text("status")).isEqualTo("running");
    assertThat(execute(id, "Idempotency-Key", "try-" + id).status()).isEqualTo(200);
    assertThat(asked).hasSize(1);
  }

  @Test
  void aCallWhoseSandboxIsDestroyedMeanwhileIsAConflict() {
    toWaiting.set(Refusal.NOT_RUNNING);
    log.engine().wakeSandboxes(false);
    String id = asleep();
    CompletableFuture<Answer> execution = CompletableFuture.supplyAsync(() -> execute(id));
    await().atMost(Duration.ofSeconds(30)).until(() -> types(id).contains("ResumeRequested"));

    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);

    refused(execution.join(), "not_running");
    assertThat(asked).extracting(Asked::wake).allMatch(wake -> wake > 0);
  }

  @Test
  void lookingAtItIsNoUse() {
    String id = asleep();
    long version = get(id).body().path("version").longValue();
    assertThat(api.get("/v1/sandboxes").status()).isEqualTo(200);
    assertThat(api.get("/v1/sandboxes/" + id + "/events").status()).isEqualTo(200);
    assertThat(get(id).body().path("version").longValue()).isEqualTo(version);
  }
}
