package io.sandglass.executor.template;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.FakeImageBuilder;
import io.sandglass.executor.runtime.ImageBuilder.Built;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BuildsTest {
  @TempDir Path data;
  private final FakeImageBuilder builder = new FakeImageBuilder(Duration.ofMinutes(5), "base:1");
  private final FakeBuildReports reports = new FakeBuildReports();
  private BuildLogs logs;
  private Builds builds;

  @BeforeEach
  void start() throws IOException {
    logs = new BuildLogs(data);
    builds = new Builds(builder, logs, reports, Duration.ofMillis(50));
    builds.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    builds.stop();
  }

  private static Template template(String id, String revision, String command) {
    return new Template(
        id,
        "org_a",
        "name",
        revision,
        image(id, revision),
        Optional.of("FROM base:1\nRUN " + command),
        0);
  }

  private static String image(String id, String revision) {
    return "sandglass-template/" + id + ":" + revision;
  }

  private void define(Template... templates) {
    builds.take(new Templates(List.of(templates), Map.of()));
  }

  private static void eventually(ThrowingRunnable holds) {
    Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(holds);
  }

  private String log(String revision) throws IOException, InterruptedException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    logs.read(revision).orElseThrow().copyTo(text, true);
    return text.toString(UTF_8);
  }

  @Test
  void whatIsDefinedIsBuiltAndTold() throws Exception {
    define(
        template("tpl_a", "tpr_1", "echo hello"),
        new Template("tpl_b", "org_a", "b", "tpr_2", "base:1", Optional.empty(), 1));

    eventually(
        () ->
            assertThat(reports.all()).containsExactly("tpl_a tpr_1 building", "tpl_a tpr_1 ready"));
    assertThat(builder.built()).containsExactly(new Built(image("tpl_a", "tpr_1"), "tpr_1"));
    assertThat(log("tpr_1")).contains("hello\n").endsWith("Done.\n");
  }

  @Test
  void whatFailsIsToldAndNotTriedAgain() throws Exception {
    define(template("tpl_a", "tpr_1", "exit 7"), template("tpl_b", "tpr_2", "true"));

    eventually(
        () ->
            assertThat(reports.all())
                .containsExactly(
                    "tpl_a tpr_1 building",
                    "tpl_a tpr_1 failed: RUN exit 7: exit code 7",
                    "tpl_b tpr_2 building",
                    "tpl_b tpr_2 ready"));
    assertThat(log("tpr_1")).endsWith("Failed: RUN exit 7: exit code 7\n");
    assertThat(builder.builds()).isEqualTo(2);
  }

  @Test
  void aDockerfileThatCannotBeReadFails() {
    Template bad =
        new Template(
            "tpl_a", "org_a", "a", "tpr_1", "i:1", Optional.of("FROM base:1\nCOPY . /"), 0);
    define(bad);

    eventually(
        () ->
            assertThat(reports.all())
                .last()
                .asString()
                .startsWith("tpl_a tpr_1 failed: line 2: COPY has nothing to copy"));
    assertThat(builder.builds()).isZero();
  }

  /** The log knows of a build that has not ended: its process is gone. */
  @Test
  void whatWasBrokenOffIsDoneAgainAndWhatHasFailedIsNot() {
    builds.take(
        new Templates(
            List.of(template("tpl_a", "tpr_1", "true"), template("tpl_b", "tpr_2", "true")),
            Stream.of(
                    new Build("tpl_a", "tpr_1", Build.State.BUILDING, Optional.empty()),
                    new Build("tpl_b", "tpr_2", Build.State.FAILED, Optional.of("why")))
                .collect(Collectors.toMap(Build::templateId, b -> b))));

    eventually(
        () ->
            assertThat(reports.all()).containsExactly("tpl_a tpr_1 building", "tpl_a tpr_1 ready"));
  }

  @Test
  void aNewRevisionReplacesTheOldOneOnceNothingUsesIt() {
    define(template("tpl_a", "tpr_1", "true"));
    eventually(() -> assertThat(reports.all()).contains("tpl_a tpr_1 ready"));
    builder.use(image("tpl_a", "tpr_1"), true);

    define(template("tpl_a", "tpr_2", "true"));

    eventually(() -> assertThat(reports.all()).contains("tpl_a tpr_2 ready"));
    assertThat(builder.built())
        .containsExactly(
            new Built(image("tpl_a", "tpr_1"), "tpr_1"),
            new Built(image("tpl_a", "tpr_2"), "tpr_2"));
    builder.use(image("tpl_a", "tpr_1"), false);
    eventually(
        () ->
            assertThat(builder.built())
                .containsExactly(new Built(image("tpl_a", "tpr_2"), "tpr_2")));
    assertThat(logs.read("tpr_1")).isEmpty();
  }

  @Test
  void ofADeletedTemplateNothingIsLeft() {
    define(template("tpl_a", "tpr_1", "true"));
    eventually(() -> assertThat(reports.all()).contains("tpl_a tpr_1 ready"));

    builds.take(
        new Templates(
            List.of(),
            Map.of("tpl_a", new Build("tpl_a", "tpr_1", Build.State.READY, Optional.empty()))));

    eventually(() -> assertThat(reports.all()).contains("tpl_a forgotten"));
    assertThat(builder.built()).isEmpty();
    assertThat(logs.read("tpr_1")).isEmpty();
  }

  @Test
  void deletingGivesUpTheBuild() {
    define(template("tpl_a", "tpr_1", "sleep 600"), template("tpl_b", "tpr_2", "true"));
    eventually(() -> assertThat(builder.builds()).isEqualTo(1));

    define(template("tpl_b", "tpr_2", "true"));

    eventually(() -> assertThat(reports.all()).contains("tpl_b tpr_2 ready"));
    assertThat(builder.built()).containsExactly(new Built(image("tpl_b", "tpr_2"), "tpr_2"));
  }

  @Test
  void anImageThatIsLostIsBuiltAgain() {
    define(template("tpl_a", "tpr_1", "true"));
    eventually(() -> assertThat(reports.all()).contains("tpl_a tpr_1 ready"));

    builder.remove(image("tpl_a", "tpr_1"));

    eventually(() -> assertThat(builder.builds()).isEqualTo(2));
    eventually(() -> assertThat(builder.built()).isNotEmpty());
  }

  @Test
  void itWaitsForTheRuntimeAndForTheLog() {
    builder.unavailable(true);
    reports.unreachable(true);
    define(template("tpl_a", "tpr_1", "true"));
    builder.unavailable(false);
    eventually(() -> assertThat(logs.read("tpr_1")).isPresent());

    reports.unreachable(false);

    eventually(() -> assertThat(reports.all()).contains("tpl_a tpr_1 ready"));
  }
}
