package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Usage;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Usage over HTTP. */
final class UsageTest {
  private static final Instant TEN = Instant.parse("2026-11-25T10:00:00Z");

  private static RunningApi api;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    InProcessLog log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    String org = api.bootstrap().organizations().getFirst();
    log.used(
        interval("1", org, "sbx_1", "running", 0, 1_234_567),
        interval("2", org, "sbx_1", "frozen", 1_234_567, 3_600_000),
        interval("3", org, "sbx_2", "stopped", 0, 1),
        interval("4", "org_other", "sbx_3", "running", 0, 1_000),
        new Usage.Watermark(0, 1, TEN.plusSeconds(3_600)));
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
  }

  private static Usage interval(
      String id, String org, String sandbox, String state, long from, long to) {
    return new Usage.Interval(
        id,
        org,
        sandbox,
        "tpl_1",
        "python",
        new Size("shared-cpu-1x", 1_000, 256L << 20),
        state,
        TEN.plusMillis(from),
        TEN.plusMillis(to),
        null);
  }

  @Test
  void addsUpToTheMillisecond() {
    Answer answer = api.get("/v1/usage");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text("complete_through")).isEqualTo("2026-11-25T11:00:00.000Z");
    assertThat(answer.body().get("group_by")).isEmpty();
    assertThat(answer.response().body())
        .contains(
            "\"usage\":[{\"running_seconds\":1234.567,\"suspended_seconds\":2365.434,"
                + "\"frozen_seconds\":2365.433,\"stopped_seconds\":0.001}]");
  }

  @Test
  void groupsAndCuts() {
    Answer answer =
        api.get(
            "/v1/usage?group_by=sandbox,day,size,template"
                + "&from=2026-11-25T10:00:00.500Z&to=2026-11-25T10:00:02Z");

    assertThat(answer.body().get("usage")).hasSize(1);
    var group = answer.body().get("usage").get(0);
    assertThat(group.get("day").asText()).isEqualTo("2026-11-25");
    assertThat(group.get("sandbox_id").asText()).isEqualTo("sbx_1");
    assertThat(group.get("template_id").asText()).isEqualTo("tpl_1");
    assertThat(group.get("template").asText()).isEqualTo("python");
    assertThat(group.get("size").asText()).isEqualTo("shared-cpu-1x");
    assertThat(group.get("running_seconds").asText()).isEqualTo("1.5");
  }

  @Test
  void isATableAsWell() {
    Answer answer = api.get("/v1/usage?format=csv&group_by=sandbox");

    assertThat(answer.header("Content-Type")).isEqualTo("text/csv;charset=utf-8");
    assertThat(answer.header("X-Complete-Through")).isEqualTo("2026-11-25T11:00:00.000Z");
    assertThat(answer.response().body())
        .isEqualTo(
            """
            day,sandbox_id,template_id,template,size,running_seconds,suspended_seconds,frozen_seconds,stopped_seconds
            ,sbx_1,,,,1234.567,2365.433,2365.433,0.000
            ,sbx_2,,,,0.000,0.001,0.000,0.001
            """);
  }

  @Test
  void saysWhatIsWrong() {
    for (Map.Entry<String, List<String>> wrong :
        Map.of(
                "from=yesterday", List.of("from"),
                "from=2026-11-25T10:00:00Z&to=2026-11-25T10:00:00Z", List.of("to"),
                "group_by=hour", List.of("group_by"),
                "group_by=", List.of("group_by"),
                "group_by=day,day", List.of("group_by"),
                "group_by=day&group_by=size", List.of("group_by"),
                "format=xml", List.of("format"),
                "limit=5&to=x", List.of("limit", "to"))
            .entrySet()) {
      Answer answer = api.get("/v1/usage?" + wrong.getKey());
      assertThat(answer.status()).as(wrong.getKey()).isEqualTo(400);
      assertThat(answer.body().get("errors").findValuesAsText("pointer"))
          .as(wrong.getKey())
          .containsExactlyInAnyOrderElementsOf(wrong.getValue());
    }
    assertThat(api.send(api.request("/v1/usage").GET()).status()).isEqualTo(401);
    assertThat(api.send(api.authorized("/v1/usage").POST(BodyPublishers.noBody())).status())
        .isEqualTo(405);
  }
}
