package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.standalone.EventClient.Event;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Commands that are watched, fed and left alone, through the whole system. */
@Timeout(120)
@ExtendWith(SharedSandglass.class)
class StreamingIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String EVENTS = "text/event-stream";

  private static SandglassProcess sandglass;
  private static ApiClient api;
  private static String id;

  @BeforeAll
  static void start(SandglassProcess shared, ApiClient organization) {
    sandglass = shared;
    api = organization;
    id = api.create("{\"template\": \"python\", \"timeout\": \"1h\"}");
  }

  private static String body(String command, String timeout) {
    return JSON.createObjectNode().put("command", command).put("timeout", timeout).toString();
  }

  private static EventClient execute(String command, String accept) {
    return EventClient.send(
        sandglass,
        api.key(),
        "POST",
        "/v1/sandboxes/" + id + "/execute",
        accept,
        body(command, "1m"));
  }

  private static String run(String command) {
    return api.execute(id, command).expect(200).text("stdout").strip();
  }

  @Test
  void eventsComeInOrderAndAtOnce() throws Exception {
    try (EventClient client =
        execute("echo one; sleep 1; echo two >&2; sleep 1; echo three; exit 3", EVENTS)) {
      List<Event> events = client.rest();
      assertThat(events.stream().map(Event::name))
          .containsExactly("start", "stdout", "stderr", "stdout", "exit");
      assertThat(events.stream().map(Event::text)).contains("one\n", "two\n", "three\n");
      assertThat(events.getLast().data().path("exit_code").asInt()).isEqualTo(3);
      assertThat(events.get(3).at() - events.get(1).at())
          .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1_500));
    }
  }

  @Test
  void aTimeoutEndsAStreamAsItEndsAPlainCall() throws Exception {
    try (EventClient client =
        EventClient.send(
            sandglass,
            api.key(),
            "POST",
            "/v1/sandboxes/" + id + "/execute",
            EVENTS,
            body("echo begun; sleep 60", "1s"))) {
      JsonNode exit = client.rest().getLast().data();
      assertThat(exit.path("exit_code").asInt()).isEqualTo(124);
      assertThat(exit.path("timed_out").asBoolean()).isTrue();
    }
  }

  /** Seen from inside: nothing of the tree is left, however it has been hidden. */
  @Test
  void hangingUpKillsTheWholeTree() throws Exception {
    for (String accept : List.of("application/json", EVENTS)) {
      String sleep = accept.equals(EVENTS) ? "sleep 4243" : "sleep 4242";
      String command = "setsid sh -c '" + sleep + " & " + sleep + "' & env -i " + sleep;
      try (EventClient _ = execute(command, accept)) {
        Awaitility.await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> run("pgrep -cfx '" + sleep + "'").equals("3"));
      }
      Awaitility.await(accept)
          .atMost(Duration.ofSeconds(5))
          .until(() -> run("pgrep -cfx '" + sleep + "'").equals("0"));
    }
    assertThat(api.events(id).findValuesAsText("failure"))
        .anyMatch(failure -> failure.contains("the caller went away"));
  }

  /** A gigabyte through a JVM of 768 MB. */
  @Test
  void aFloodIsCutAndItsEndIsTrue() throws Exception {
    try (EventClient client = execute("yes | head -c 1000000000; exit 9", EVENTS)) {
      long characters = 0;
      Event event = client.next();
      for (; !event.name().equals("exit"); event = client.next()) {
        characters += event.text().length();
      }
      assertThat(characters).isEqualTo(10 << 20);
      assertThat(event.data().path("exit_code").asInt()).isEqualTo(9);
      assertThat(event.data().path("truncated").asBoolean()).isTrue();
    }
  }

  @Test
  void aMegabyteOfInputArrives() throws Exception {
    String input = "0123456789abcdé".repeat(65_536);
    byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
    String body =
        JSON.createObjectNode().put("command", "sha256sum").put("stdin", input).toString();
    assertThat(bytes).hasSize(1 << 20);
    assertThat(api.post("/v1/sandboxes/" + id + "/execute", body).expect(200).text("stdout"))
        .startsWith(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
  }
}
