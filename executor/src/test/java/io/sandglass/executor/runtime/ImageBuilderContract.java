package io.sandglass.executor.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.ImageBuilder.Built;
import io.sandglass.executor.runtime.ImageBuilder.Job;
import io.sandglass.executor.runtime.ImageBuilder.Outcome;
import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Stage;
import io.sandglass.executor.runtime.Recipe.Step;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every builder of images must do, real or not. */
public abstract class ImageBuilderContract {
  private static final String IMAGE = "sandglass-template/tpl_contract:tpr_1";

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  protected abstract ImageBuilder builder();

  /** Another one of the same node. */
  protected abstract ImageBuilder builder(Duration timeout);

  /** An image that is there, with a shell. */
  protected abstract String base();

  /** Has a container of this image, or no longer. */
  protected abstract void use(String image, boolean now);

  private Job job(String base, String... commands) {
    return new Job(
        IMAGE,
        "tpr_1",
        new Recipe(
            List.of(
                new Stage(
                    new Source.Image(base),
                    Stream.of(commands).<Step>map(Step.Run::new).toList()))));
  }

  private Outcome build(Job job) {
    return builder().build(job, log, () -> false);
  }

  @AfterEach
  void remove() {
    builder().remove(IMAGE);
  }

  @Test
  void buildsAndKnowsWhatItHasBuilt() {
    assertThat(build(job(base(), "true", "echo heard"))).isEqualTo(new Outcome.Done());

    assertThat(builder().built()).containsExactly(new Built(IMAGE, "tpr_1"));
    assertThat(log.toString(UTF_8)).contains("RUN true").contains("RUN echo heard\nheard\n");
  }

  @Test
  void buildsTheSameAgain() {
    assertThat(build(job(base(), "true"))).isEqualTo(new Outcome.Done());
    assertThat(build(job(base(), "true"))).isEqualTo(new Outcome.Done());

    assertThat(builder().built()).containsExactly(new Built(IMAGE, "tpr_1"));
  }

  @Test
  void aCommandThatFailsFailsTheBuildAndNothingIsLeft() {
    assertThat(build(job(base(), "echo before", "exit 3", "echo after")))
        .isEqualTo(new Outcome.Failed("RUN exit 3: exit code 3"));

    assertThat(log.toString(UTF_8)).contains("before").doesNotContain("after");
    assertThat(builder().built()).isEmpty();
  }

  @Test
  void anAbsentBaseFailsTheBuild() {
    Outcome outcome = build(job("nobody/has-this:1", "true"));

    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed ->
                assertThat(failed.why())
                    .contains("this node does not have the image nobody/has-this:1"));
    assertThat(builder().built()).isEmpty();
  }

  @Test
  void whatNobodyWantsIsGivenUp() {
    Outcome outcome =
        builder()
            .build(
                job(base(), "echo begun", "sleep 600"),
                log,
                () -> log.toString(UTF_8).contains("RUN sleep"));

    assertThat(outcome).isEqualTo(new Outcome.Abandoned());
    assertThat(builder().built()).isEmpty();
  }

  @Test
  void whatTakesTooLongFails() {
    Outcome outcome =
        builder(Duration.ofSeconds(4)).build(job(base(), "sleep 600"), log, () -> false);

    assertThat(outcome).isEqualTo(new Outcome.Failed("it took longer than 4 s"));
    assertThat(builder().built()).isEmpty();
  }

  @Test
  void removesWhatNothingUses() {
    build(job(base(), "true"));
    use(IMAGE, true);
    assertThat(builder().remove(IMAGE)).isFalse();
    assertThat(builder().built()).isNotEmpty();

    use(IMAGE, false);
    assertThat(builder().remove(IMAGE)).isTrue();
    assertThat(builder().remove(IMAGE)).isTrue();
    assertThat(builder().built()).isEmpty();
  }
}
