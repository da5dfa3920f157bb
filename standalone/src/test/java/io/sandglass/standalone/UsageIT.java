package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is charged, beside when the containers themselves began and ended. */
@ExtendWith(SharedSandglass.class)
class UsageIT {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @Test
  void isWhatTheContainersRan(SandglassProcess sandglass, ApiClient api) {
    Instant asked = Instant.now();
    String destroyed = api.create("{\"template\": \"base\"}");
    String expired = api.create("{\"template\": \"base\"}");
    Instant ran = Instant.now();
    api.post("/v1/sandboxes/" + expired + "/keepalive", "{\"timeout\": \"1s\"}").expect(200);
    Instant containerBegan = began(destroyed);
    Instant deleting = Instant.now();
    api.destroy(destroyed);
    Awaitility.await("both are gone")
        .atMost(Duration.ofMinutes(2))
        .until(() -> Containers.of(destroyed).isEmpty() && Containers.of(expired).isEmpty());
    Instant containerEnded = ended(destroyed, asked);

    Event start = event(api, destroyed, "SandboxStarted");
    Event stop = event(api, destroyed, "StopRequested");
    Event began = event(api, expired, "SandboxStarted");
    Event expiry = event(api, expired, "StopRequested");
    awaitComplete(api, expiry.at());

    // Not charged before the container was there, nor after it was gone; and what was charged was
    // the client's to use.
    assertThat(start.at()).isBetween(later(asked, containerBegan), ran);
    assertThat(stop.at()).isBetween(deleting.minusMillis(1), containerEnded);
    assertThat(running(api, destroyed)).isEqualTo(Duration.between(start.at(), stop.at()));
    assertThat(running(api, expired)).isEqualTo(Duration.between(began.at(), expiry.due()));

    // Half of it is half of it, to the millisecond.
    Instant middle = start.at().plus(Duration.between(start.at(), stop.at()).dividedBy(2));
    assertThat(
            running(api, destroyed, "&to=" + middle)
                .plus(running(api, destroyed, "&from=" + middle)))
        .isEqualTo(running(api, destroyed));

    String report = api.get("/v1/usage?group_by=sandbox").body().get("usage").toString();
    sandglass.kill();
    sandglass.launch();
    sandglass.awaitReady();
    awaitComplete(api, Instant.now());
    assertThat(api.get("/v1/usage?group_by=sandbox").body().get("usage").toString())
        .isEqualTo(report);

    // And it is what the container ran, to the second. A busy machine may need several tries; what
    // is between the two by design would be there at every try.
    Duration difference =
        Duration.between(containerBegan, containerEnded)
            .minus(Duration.between(start.at(), stop.at()));
    Awaitility.await("a life that is charged as its container ran, to the second")
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                difference.compareTo(SECOND) <= 0
                    || differenceOfAnother(api).compareTo(SECOND) <= 0);
  }

  /** How much longer another one's container runs than it is charged for. */
  private static Duration differenceOfAnother(ApiClient api) {
    Instant asked = Instant.now();
    String id = api.create("{\"template\": \"base\"}");
    Instant began = began(id);
    api.destroy(id);
    Awaitility.await("it is gone")
        .atMost(Duration.ofMinutes(2))
        .until(() -> Containers.of(id).isEmpty());
    return Duration.between(began, ended(id, asked))
        .minus(
            Duration.between(
                event(api, id, "SandboxStarted").at(), event(api, id, "StopRequested").at()));
  }

  private record Event(Instant at, Instant due) {}

  private static Event event(ApiClient api, String id, String type) {
    for (JsonNode event : api.events(id)) {
      if (event.get("type").asText().equals(type)) {
        return new Event(
            Instant.parse(event.get("at").asText()),
            event.path("due_at").isTextual() ? Instant.parse(event.get("due_at").asText()) : null);
      }
    }
    throw new AssertionError("No " + type);
  }

  private static void awaitComplete(ApiClient api, Instant through) {
    Awaitility.await("usage is complete")
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> {
              JsonNode complete = api.get("/v1/usage").expect(200).body().get("complete_through");
              return !complete.isNull() && Instant.parse(complete.asText()).isAfter(through);
            });
  }

  private static Duration running(ApiClient api, String id) {
    return running(api, id, "");
  }

  private static Duration running(ApiClient api, String id, String more) {
    for (JsonNode group :
        api.get("/v1/usage?group_by=sandbox" + more).expect(200).body().get("usage")) {
      if (group.get("sandbox_id").asText().equals(id)) {
        assertThat(group.get("suspended_seconds").decimalValue()).isZero();
        return Duration.ofMillis(
            group.get("running_seconds").decimalValue().movePointRight(3).longValueExact());
      }
    }
    throw new AssertionError("No usage of " + id);
  }

  private static Instant began(String id) {
    List<String> names = Containers.of(id);
    assertThat(names).hasSize(1);
    return Instant.parse(
        Containers.docker("inspect", "--format", "{{.State.StartedAt}}", names.getFirst())
            .getFirst());
  }

  /** As the Engine's own log of events tells. */
  private static Instant ended(String id, Instant since) {
    long nanos =
        Long.parseLong(
            Containers.docker(
                    "events",
                    "--since",
                    Long.toString(since.getEpochSecond()),
                    "--until",
                    Long.toString(Instant.now().getEpochSecond() + 1),
                    "--filter",
                    "label=io.sandglass.sandbox=" + id,
                    "--filter",
                    "event=die",
                    "--format",
                    "{{.TimeNano}}")
                .getLast());
    return Instant.ofEpochSecond(0, nanos);
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }
}
