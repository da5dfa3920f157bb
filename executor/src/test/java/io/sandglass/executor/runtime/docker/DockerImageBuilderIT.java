package io.sandglass.executor.runtime.docker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.ImageBuilder;
import io.sandglass.executor.runtime.ImageBuilder.Job;
import io.sandglass.executor.runtime.ImageBuilder.Outcome;
import io.sandglass.executor.runtime.ImageBuilderContract;
import io.sandglass.executor.runtime.Recipe;
import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Stage;
import io.sandglass.executor.runtime.Recipe.Step;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class DockerImageBuilderIT extends ImageBuilderContract {
  private static final String NODE = "it-build";
  private static final String BASE = "sandglass/base:0.1.0";
  private static final String USER = "sgt-build-user";
  private static final String IMAGE = "sandglass-template/tpl_own:tpr_2";
  private static final long DISK = 32L << 20;

  private static DockerImageBuilder builder;
  private static final List<DockerImageBuilder> others = new ArrayList<>();

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  @BeforeAll
  static void connect() {
    builder = newBuilder(Duration.ofMinutes(2));
    builder.clear();
  }

  private static DockerImageBuilder newBuilder(Duration timeout) {
    return new DockerImageBuilder(
        TestDocker.settings(NODE),
        new BuildSettings(new Limits(1000, 128L << 20), "none", new DiskUse(DISK, 2000), timeout));
  }

  @AfterAll
  static void close() throws IOException {
    builder.close();
    for (DockerImageBuilder other : others) {
      other.close();
    }
  }

  /** What a build leaves is its result: no container, and no image without a name. */
  @AfterEach
  void nothingIsLeft() {
    assertThat(TestDocker.docker("ps", "-aq", "--filter", "name=sandglass-build-" + NODE))
        .isEmpty();
    builder.remove(IMAGE);
    assertThat(
            TestDocker.docker(
                "images",
                "-q",
                "--filter",
                "dangling=true",
                "--filter",
                "label=io.sandglass.builder=" + NODE))
        .isEmpty();
  }

  @Override
  protected ImageBuilder builder() {
    return builder;
  }

  @Override
  protected ImageBuilder builder(Duration timeout) {
    others.add(newBuilder(timeout));
    return others.getLast();
  }

  @Override
  protected String base() {
    return BASE;
  }

  @Override
  protected void use(String image, boolean now) {
    if (now) {
      TestDocker.docker("create", "--name", USER, image, "true");
    } else {
      TestDocker.docker("rm", "-f", USER);
    }
  }

  private Outcome build(Step... steps) {
    return build(List.of(new Stage(new Source.Image(BASE), List.of(steps))));
  }

  private Outcome build(List<Stage> stages) {
    return builder.build(new Job(IMAGE, "tpr_2", new Recipe(stages)), log, () -> false);
  }

  @Test
  void theEngineReadsInstructionsAsItAlwaysDoes() {
    Outcome outcome =
        build(
            List.of(
                new Stage(
                    new Source.Image(BASE),
                    List.of(
                        new Step.Run("mkdir /made && echo from-a-stage > /made/file"),
                        new Step.Run("echo unseen > /unseen"))),
                new Stage(
                    new Source.Image(BASE),
                    List.of(
                        new Step.Configure("ENV A=\"x y\" B=$PATH"),
                        new Step.Configure("WORKDIR /deep/down"),
                        new Step.Copy(new Source.Earlier(0), "--chown=65534 /made/file ./"),
                        new Step.Run("echo \"$A\" > a; pwd; test ! -e /unseen"),
                        new Step.Configure("SHELL [\"/bin/bash\", \"-c\"]"),
                        new Step.Configure("USER nobody"),
                        new Step.Run("[[ x == x ]] && echo bash-as-$(id -un)"),
                        new Step.Run("[\"echo\", \"two words\", \"$A\"]")))));

    assertThat(outcome).as(log.toString(UTF_8)).isEqualTo(new Outcome.Done());
    assertThat(log.toString(UTF_8))
        .contains("\n/deep/down\n")
        .contains("\nbash-as-nobody\n")
        .contains("\ntwo words $A\n");
    assertThat(
            TestDocker.docker(
                "run",
                "--rm",
                "--network=none",
                IMAGE,
                "sh",
                "-c",
                "cat a; cat file; stat -c %u file"))
        .isEqualTo("x y\nfrom-a-stage\n65534");
    assertThat(TestDocker.docker("image", "inspect", "-f", "{{json .Config}}", IMAGE))
        .contains("\"WorkingDir\":\"/deep/down\"")
        .contains("\"User\":\"nobody\"")
        .doesNotContain("bash", "Entrypoint\":[\"", "Cmd\":[\"");
  }

  /** As in a sandbox, and without its network. */
  @Test
  void commandsRunWithinWalls() {
    Outcome outcome =
        build(
            new Step.Run(
                "cut -d: -f1 /proc/net/dev | grep -v '|' | xargs; grep -E"
                    + " 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | xargs; ls"
                    + " /var/run/docker.sock /.sandglass 2>/dev/null || echo no-binds; cat"
                    + " /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; cat"
                    + " /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
                    + " 2>/dev/null; mknod /x b 8 0 || echo no-devices"));

    assertThat(outcome).as(log.toString(UTF_8)).isEqualTo(new Outcome.Done());
    assertThat(log.toString(UTF_8))
        .contains("\nlo\n")
        .contains("CapBnd: 00000000000000fb")
        .contains("NoNewPrivs: 1")
        .contains("Seccomp: 2")
        .contains("\nno-binds\n")
        .contains("\n256\n")
        .contains("\n" + (128L << 20) + "\n")
        .contains("\nno-devices\n");
  }

  @Test
  void aDiskBombEndsTheBuild() {
    Outcome outcome =
        build(new Step.Run("dd if=/dev/zero of=/bomb bs=1M count=48 2>/dev/null; sleep 600"));

    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.why()).contains("bytes to disk, more than its " + DISK));
    assertThat(build(new Step.Run("mkdir /many; cd /many; seq 2500 | xargs touch")))
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.why()).contains("files, more than its 2000"));
  }

  @Test
  void whatTheEngineRefusesIsSaid() {
    assertThat(build(new Step.Configure("USER nosuch"), new Step.Run("true")))
        .isInstanceOfSatisfying(
            Outcome.Failed.class, failed -> assertThat(failed.why()).contains("nosuch"));
    assertThat(build(new Step.Configure("ENV")))
        .isInstanceOfSatisfying(
            Outcome.Failed.class, failed -> assertThat(failed.why()).contains("ENV"));
  }

  /** The Engine takes part of an id for an image, too. */
  @Test
  void anImageIsFoundByItsNameAlone() {
    String id = TestDocker.docker("images", "-q", BASE);
    for (String reference : List.of(id, "sha256:" + id, id.substring(0, 4))) {
      assertThat(build(List.of(new Stage(new Source.Image(reference), List.of()))))
          .isInstanceOfSatisfying(
              Outcome.Failed.class,
              failed -> assertThat(failed.why()).contains("does not have the image"));
    }
  }

  @Test
  void whatADeadProcessHasLeftIsCleared() {
    TestDocker.docker(
        "run",
        "-d",
        "--name",
        "sandglass-build-" + NODE + "-tpr_9",
        "--label",
        "io.sandglass.builder=" + NODE,
        "--network=none",
        BASE,
        "sleep",
        "600");
    TestDocker.docker("commit", "sandglass-build-" + NODE + "-tpr_9");
    // A sandbox of a built image has its labels.
    TestDocker.docker(
        "create", "--name", USER, "--label", "io.sandglass.builder=" + NODE, BASE, "true");

    builder.clear();

    assertThat(TestDocker.docker("ps", "-aq", "--filter", "name=" + USER)).isNotEmpty();
    TestDocker.docker("rm", USER);
  }
}
