package io.sandglass.api;

import static io.sandglass.api.NodeStandIn.empty;
import static io.sandglass.api.NodeStandIn.exit;
import static io.sandglass.api.NodeStandIn.frame;
import static io.sandglass.api.NodeStandIn.frames;
import static io.sandglass.api.NodeStandIn.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.NodeStandIn.Script;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.Status;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Executions without a caller, and the records of all, against a node that says what a test wants.
 */
final class DetachedTest {
  private static final String RUNS = "{\"command\":\"work\",\"detach\":true}";
  private static final byte[] STARTED = frame('S', "");
  private static final byte[] PAUSE = frame('P', "{\"stdout_bytes\":5,\"stderr_bytes\":11000000}");

  private static InProcessLog log;
  private static RunningApi api;
  private static NodeStandIn node;
  private static volatile Script script;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = NodeStandIn.start(exchange -> script.answer(exchange));
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop();
  }

  @BeforeEach
  void fresh() {
    node.asked().clear();
    node.lines().clear();
    log.mood(InProcessLog.Mood.WORKING);
    log.dataPlane(node.url());
    script = empty(202);
  }

  private static String sandbox() {
    return api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
  }

  private static Answer detach(String sandbox, String... headers) {
    return api.post("/v1/sandboxes/" + sandbox + "/execute", RUNS, headers);
  }

  /** The path of a running one. */
  private static String running(String sandbox) {
    Answer answer = detach(sandbox);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(202);
    return answer.header("Location");
  }

  private static String idOf(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static void finished(String sandbox, String path, Integer exitCode, String failure) {
    log.happened(
        log.engine()
            .told(
                sandbox,
                Status.RUNNING,
                new Fact.ExecutionFinished(
                    idOf(path), "detached", exitCode, false, true, 5, 7, 0, 1200, failure)));
  }

  @Test
  void itIsAnsweredWhenItRunsAndEveryoneCanSeeIt() {
    String sandbox = sandbox();

    Answer answer =
        api.post(
            "/v1/sandboxes/" + sandbox + "/execute",
            "{\"command\":\"work\",\"detach\":true,\"timeout\":\"24h\",\"env\":{\"A\":\"b\"}}");

    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.text("state")).isEqualTo("running");
    assertThat(answer.header("Location"))
        .isEqualTo("/v1/sandboxes/" + sandbox + "/executions/" + answer.text("id"));
    JsonNode sent = node.asked().getFirst();
    assertThat(sent.path("execution_id").asText()).isEqualTo(answer.text("id"));
    assertThat(sent.path("detach").booleanValue()).isTrue();
    assertThat(sent.path("timeout_ms").longValue()).isEqualTo(86_400_000);
    assertThat(sent.path("env").path("A").asText()).isEqualTo("b");

    script = frames(STARTED, frame('O', "so f"), frame('E', "x"), PAUSE);
    JsonNode seen = api.get(answer.header("Location")).body();
    assertThat(seen.path("state").asText()).isEqualTo("running");
    assertThat(seen.path("detached").booleanValue()).isTrue();
    assertThat(seen.path("command").asText()).isEqualTo("work");
    assertThat(seen.path("timeout").asText()).isEqualTo("24h");
    assertThat(seen.path("exit_code").isNull()).isTrue();
    assertThat(seen.path("finished_at").isNull()).isTrue();
    assertThat(seen.path("output").asText()).isEqualTo("available");
    assertThat(seen.path("stdout").asText()).isEqualTo("so f");
    assertThat(seen.path("stdout_next_offset").longValue()).isEqualTo(4);
    assertThat(seen.path("stdout_bytes").longValue()).isEqualTo(5);
    assertThat(seen.path("truncated").booleanValue()).isTrue();
    assertThat(seen.path("actor").asText()).startsWith("key:");
  }

  @Test
  void itsRulesAreItsOwn() {
    String sandbox = sandbox();
    for (String body :
        List.of(
            "{\"command\":\"x\",\"detach\":true,\"timeout\":\"25h\"}",
            "{\"command\":\"x\",\"detach\":true,\"stdin\":\"in\"}",
            "{\"command\":\"x\",\"detach\":\"yes\"}",
            "{\"command\":\"x\",\"detach\":false,\"timeout\":\"6m\"}")) {
      assertThat(api.post("/v1/sandboxes/" + sandbox + "/execute", body).status())
          .as(body)
          .isEqualTo(400);
    }
    assertThat(node.asked()).isEmpty();
    running(sandbox);
    assertThat(node.asked().getFirst().path("timeout_ms").longValue()).isEqualTo(3_600_000);
  }

  @Test
  void theEndIsWhatTheLogSays() {
    String sandbox = sandbox();
    String path = running(sandbox);
    finished(sandbox, path, 3, null);
    script = frames(STARTED, frame('O', "done\n"), frame('X', exit(3)));

    JsonNode seen = api.get(path).body();

    assertThat(seen.path("state").asText()).isEqualTo("finished");
    assertThat(seen.path("exit_code").intValue()).isEqualTo(3);
    assertThat(seen.path("duration_ms").longValue()).isEqualTo(1200);
    assertThat(seen.path("truncated").booleanValue()).isTrue();
    assertThat(seen.path("stdout").asText()).isEqualTo("done\n");
    assertThat(seen.path("stderr_bytes").longValue()).isEqualTo(7);
    assertThat(seen.path("finished_at").asText()).endsWith("Z");
  }

  @Test
  void whatIsNotKnownIsNeverAnExitCode() {
    String sandbox = sandbox();
    String lost = running(sandbox);
    finished(sandbox, lost, null, "lost: the sandbox no longer knows it");
    String untold = running(sandbox);
    script = frames(frame('F', "{\"code\":\"unknown_execution\",\"detail\":\"no\"}"));
    assertThat(api.get(lost).text("state")).isEqualTo("lost");
    assertThat(api.get(lost).body().path("exit_code").isNull()).isTrue();
    assertThat(api.get(lost).text("failure")).isEqualTo("lost: the sandbox no longer knows it");
    assertThat(api.get(lost).text("output")).isEqualTo("gone");
    assertThat(api.get(lost).body().path("stdout").isNull()).isTrue();

    assertThat(api.delete("/v1/sandboxes/" + sandbox).status()).isEqualTo(204);

    assertThat(api.get(untold).text("state")).isEqualTo("lost");
    assertThat(api.get(untold).text("failure"))
        .isEqualTo("lost: the sandbox ended before its end was told");
    assertThat(api.get(untold).text("output")).isEqualTo("gone");
  }

  @Test
  void outputGoesOnFromAnyOffsetAndTearsNoCharacter() {
    String path = running(sandbox());
    byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
    script = frames(STARTED, frame('O', new byte[] {'a', euro[0], euro[1]}), PAUSE);

    Answer first = api.get(path + "?stdout_offset=7&stderr_offset=2");

    assertThat(node.lines().getLast())
        .contains("incarnation=1", "stdout=7", "stderr=2", "follow=false");
    assertThat(first.text("stdout")).isEqualTo("a");
    assertThat(first.body().path("stdout_next_offset").longValue()).isEqualTo(8);
    assertThat(first.body().path("stderr_next_offset").longValue()).isEqualTo(2);

    script = frames(STARTED, frame('O', new byte[] {euro[0], euro[1]}), frame('X', exit(0)));
    Answer last = api.get(path + "?stdout_offset=8");
    assertThat(last.text("stdout")).isEqualTo("\ufffd");
    assertThat(last.body().path("stdout_next_offset").longValue()).isEqualTo(10);

    script = frames(frame('F', "{\"code\":\"bad_request\",\"detail\":\"beyond the output\"}"));
    assertThat(api.get(path + "?stdout_offset=99").status()).isEqualTo(400);
    for (String wrong : List.of("stdout_offset=-1", "stderr_offset=x", "follow=perhaps")) {
      assertThat(api.get(path + "?" + wrong).status()).as(wrong).isEqualTo(400);
    }
  }

  @Test
  void whoeverCannotBeAskedIsNotSpokenFor() {
    String sandbox = sandbox();
    String path = running(sandbox);
    log.dataPlane(URI.create("http://127.0.0.1:1"));
    assertThat(api.get(path).text("output")).isEqualTo("unreachable");
    assertThat(api.get(path + "?follow=true").text("code")).isEqualTo("node_unavailable");
    assertThat(api.delete(path).text("code")).isEqualTo("node_unavailable");
    log.dataPlane(node.url());
    script = problem(409, "not_running");
    assertThat(api.get(path).text("output")).isEqualTo("unreachable");
    assertThat(api.delete(path).text("code")).isEqualTo("not_running");

    log.happened(
        log.engine()
            .told(
                sandbox, Status.SUSPENDED, new Fact.SandboxSuspended("frozen", "requested", null)));
    node.lines().clear();
    assertThat(api.get(path).text("output")).isEqualTo("unreachable");
    assertThat(api.get(path + "?follow=true").text("code")).isEqualTo("not_running");
    assertThat(node.lines()).as("a reader wakes nobody").isEmpty();
  }

  @Test
  void aSleepingSandboxIsWokenForIt() {
    String sandbox =
        api.post("/v1/sandboxes", "{\"template\":\"base\",\"mode\":\"persistent\"}").text("id");
    assertThat(api.post("/v1/sandboxes/" + sandbox + "/suspend", "").status()).isBetween(200, 202);
    assertThat(api.get("/v1/sandboxes/" + sandbox).text("status")).isEqualTo("suspended");

    assertThat(detach(sandbox).status()).isEqualTo(202);

    assertThat(api.get("/v1/sandboxes/" + sandbox).text("status")).isEqualTo("running");
    assertThat(node.asked()).hasSize(1);
  }

  private static String events(String path, String... headers) {
    HttpRequest.Builder request = api.authorized(path).header("Accept", "text/event-stream");
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    Answer answer = api.send(request);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).isEqualTo("text/event-stream");
    return answer.response().body();
  }

  @Test
  void itIsFollowedAndTakenUpAgainWhereItWasCut() {
    String path = running(sandbox());
    script =
        frames(STARTED, frame('O', "one"), frame('E', ""), frame('E', "err"), frame('O', "two"));

    String cut = events(path);

    assertThat(cut)
        .startsWith("event: start\nid: 0-0\ndata: {\"execution_id\":\"" + idOf(path) + "\"}\n\n")
        .contains(
            "event: stdout\nid: 3-0\ndata: {\"text\":\"one\",\"offset\":0,\"next_offset\":3}\n\n",
            "event: stdout\nid: 6-3\ndata: {\"text\":\"two\",\"offset\":3,\"next_offset\":6}\n\n",
            "event: error\nid: 6-3\ndata: {\"code\":\"node_unavailable\"")
        .doesNotContain("event: exit");

    script = frames(STARTED, frame('O', "three"), frame('X', exit(3)));
    String rest = events(path + "?stdout_offset=1", "Last-Event-ID", "6-3");

    assertThat(node.lines().getLast()).contains("stdout=6", "stderr=3", "follow=true");
    assertThat(rest)
        .contains("{\"text\":\"three\",\"offset\":6,\"next_offset\":11}")
        .contains("event: exit\nid: 11-3\ndata: {\"exit_code\":3,");
    assertThat(
            api.send(api.authorized(path + "?follow=true").header("Last-Event-ID", "from before"))
                .status())
        .isEqualTo(400);
    script = frames(frame('F', "{\"code\":\"unknown_execution\",\"detail\":\"no\"}"));
    assertThat(api.get(path + "?follow=true").status()).isEqualTo(410);
    assertThat(api.get(path + "?follow=true").text("code")).isEqualTo("output_gone");
  }

  @Test
  void killingIsRecordedDoneAndDoneAgain() {
    String sandbox = sandbox();
    String path = running(sandbox);
    script =
        exchange -> {
          finished(sandbox, path, 137, "killed: on request");
          empty(204).answer(exchange);
        };

    assertThat(api.delete(path).status()).isEqualTo(204);

    assertThat(node.lines().getLast())
        .isEqualTo("DELETE /sandboxes/" + sandbox + "/executions/" + idOf(path) + "?incarnation=1");
    assertThat(api.get("/v1/sandboxes/" + sandbox + "/events").response().body())
        .contains("kill of " + idOf(path));
    node.lines().clear();
    assertThat(api.delete(path).status()).isEqualTo(204);
    assertThat(node.lines()).isEmpty();
    script = frames(STARTED, frame('X', exit(137)));
    assertThat(api.get(path).text("failure")).isEqualTo("killed: on request");
    assertThat(api.get(path).body().path("exit_code").intValue()).isEqualTo(137);
  }

  @Test
  void otherOrganizationsAndOtherIdsFindNothing() {
    String sandbox = sandbox();
    String path = running(sandbox);
    String strangers =
        api.send(
                api.request("/v1/admin/organizations")
                    .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"name\":\"strangers\"}")))
            .text("id");
    String foreign = api.bootstrap().newKey(strangers, "tests").apiKey();
    for (String method : List.of("GET", "DELETE")) {
      Answer answer =
          api.send(
              api.request(path)
                  .header("Authorization", "Bearer " + foreign)
                  .method(method, HttpRequest.BodyPublishers.noBody()));
      assertThat(answer.status()).as(method).isEqualTo(403);
      assertThat(answer.text("code")).isEqualTo("foreign_organization");
    }
    for (String unknown :
        List.of(
            sandbox() + "/executions/" + idOf(path),
            sandbox + "/executions/exe_0",
            sandbox + "/executions/%C3%BC")) {
      assertThat(api.get("/v1/sandboxes/" + unknown).text("code")).isEqualTo("execution_not_found");
      assertThat(api.delete("/v1/sandboxes/" + unknown).status()).isEqualTo(404);
    }
    assertThat(api.get("/v1/sandboxes/sbx_0/executions").status()).isEqualTo(404);
  }

  @Test
  void allCommandsAreListedNewestFirst() {
    String sandbox = sandbox();
    String first = idOf(running(sandbox));
    script = frames(frame('X', exit(0)));
    assertThat(
            api.post("/v1/sandboxes/" + sandbox + "/execute", "{\"command\":\"plain\"}").status())
        .isEqualTo(200);
    script = empty(202);
    String third = idOf(running(sandbox));

    JsonNode all = api.get("/v1/sandboxes/" + sandbox + "/executions").body();
    JsonNode page = api.get("/v1/sandboxes/" + sandbox + "/executions?limit=2").body();
    JsonNode rest =
        api.get(
                "/v1/sandboxes/"
                    + sandbox
                    + "/executions?limit=2&cursor="
                    + page.path("next_cursor").asText())
            .body();

    assertThat(all.path("executions").findValuesAsText("command"))
        .containsExactly("work", "plain", "work");
    assertThat(all.path("next_cursor").isNull()).isTrue();
    assertThat(page.path("executions").findValuesAsText("id")).hasSize(2).startsWith(third);
    assertThat(rest.path("executions").findValuesAsText("id")).containsExactly(first);
    String plain =
        "/v1/sandboxes/"
            + sandbox
            + "/executions/"
            + all.path("executions").get(1).path("id").asText();
    assertThat(api.get(plain).text("output")).isEqualTo("sent");
    assertThat(api.get(plain + "?follow=true").text("code")).isEqualTo("not_detached");
    assertThat(api.delete(plain).text("code")).isEqualTo("not_detached");
    assertThat(api.get("/v1/sandboxes/" + sandbox + "/executions?cursor=x").status())
        .isEqualTo(400);
  }

  @Test
  void theSameKeyBeginsOnce() {
    String sandbox = sandbox();
    Answer first = detach(sandbox, "Idempotency-Key", "bg-1");
    Answer again = detach(sandbox, "Idempotency-Key", "bg-1");

    assertThat(again.status()).isEqualTo(202);
    assertThat(again.response().body()).isEqualTo(first.response().body());
    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(node.asked()).hasSize(1);
    assertThat(
            api.post(
                    "/v1/sandboxes/" + sandbox + "/execute",
                    "{\"command\":\"other\",\"detach\":true}",
                    "Idempotency-Key",
                    "bg-1")
                .status())
        .isEqualTo(422);
  }

  /** As after a crash between the start and its answer. */
  @Test
  void aRepetitionOfWhatWasNotAnsweredMeetsIt() {
    String sandbox = sandbox();
    script = _ -> {}; // hangs up
    assertThat(detach(sandbox, "Idempotency-Key", "bg-2").text("code"))
        .isEqualTo("execution_outcome_unknown");
    script = problem(409, "execution_already_started");

    Answer again = detach(sandbox, "Idempotency-Key", "bg-2");

    assertThat(again.status()).isEqualTo(202);
    assertThat(node.asked())
        .extracting(sent -> sent.path("execution_id").asText())
        .containsOnly(again.text("id"));

    // One that has ended meanwhile is not begun again, whatever the node remembers.
    script = _ -> {}; // hangs up
    assertThat(detach(sandbox, "Idempotency-Key", "bg-3").status()).isEqualTo(502);
    String id = node.asked().getLast().path("execution_id").asText();
    finished(sandbox, id, 0, null);
    node.asked().clear();
    assertThat(detach(sandbox, "Idempotency-Key", "bg-3").text("state")).isEqualTo("finished");
    assertThat(node.asked()).isEmpty();
  }

  @Test
  void whatNeverBeganDoesNotCountAsRunning() {
    String sandbox = sandbox();
    script = problem(503, "too_many_executions");
    assertThat(detach(sandbox).status()).isEqualTo(429);
    script = problem(502, "workdir_unavailable");
    assertThat(detach(sandbox).status()).isEqualTo(400);
    log.dataPlane(URI.create("http://127.0.0.1:1"));
    assertThat(detach(sandbox).text("code")).isEqualTo("node_unavailable");

    assertThat(
            api.get("/v1/sandboxes/" + sandbox + "/executions")
                .body()
                .path("executions")
                .findValuesAsText("state"))
        .containsExactly("failed", "failed", "failed");

    // With a key it is begun by the repetition.
    assertThat(detach(sandbox, "Idempotency-Key", "bg-4").status()).isEqualTo(503);
    log.dataPlane(node.url());
    script = empty(202);
    assertThat(detach(sandbox, "Idempotency-Key", "bg-4").status()).isEqualTo(202);
  }

  @Test
  void nothingBeginsThatTheLogDoesNotHold() {
    String sandbox = sandbox();
    log.mood(InProcessLog.Mood.DOWN);
    assertThat(detach(sandbox).text("code")).isEqualTo("log_unavailable");
    log.mood(InProcessLog.Mood.SLOW);
    assertThat(detach(sandbox).text("code")).isEqualTo("log_unavailable");
    assertThat(node.asked()).isEmpty();
    assertThat(log.received().getLast()).isInstanceOf(Command.NeverBegan.class);
    log.mood(InProcessLog.Mood.WORKING);
    log.decideNow();
  }
}
