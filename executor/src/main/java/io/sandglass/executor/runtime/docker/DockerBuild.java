package io.sandglass.executor.runtime.docker;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.BuildImageResultCallback;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.Image;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.ImageBuilder.Job;
import io.sandglass.executor.runtime.Recipe;
import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Step;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One build under way.
 *
 * <p>The Engine's own builder runs commands with the Engine's defaults: its runtime, its
 * capabilities, and any number of processes. So it is given what runs nothing, a few lines at a
 * time, and each command runs in a container that has the walls of a sandbox, which then becomes
 * the next image.
 */
final class DockerBuild implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DockerBuild.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration LAST_OUTPUT = Duration.ofSeconds(10);
  private static final long DISK_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int MOST_EVASIONS = 12;

  private final DockerClient docker;
  private final DockerSettings settings;
  private final BuildSettings builds;
  private final Job job;
  private final OutputStream log;
  private final BooleanSupplier abandoned;
  private final DiskMeter meter;
  private final long deadline;

  /** Images without a name; what the result is made of stays with it when they are removed. */
  private final Set<String> made = new LinkedHashSet<>();

  private DiskUse written = DiskUse.NOTHING;
  private int number;

  DockerBuild(
      DockerClient docker,
      DockerSettings settings,
      BuildSettings builds,
      Job job,
      OutputStream log,
      BooleanSupplier abandoned) {
    this.docker = docker;
    this.settings = settings;
    this.builds = builds;
    this.job = job;
    this.log = log;
    this.abandoned = abandoned;
    this.meter = new DiskMeter(docker);
    this.deadline = System.nanoTime() + builds.timeout().toNanos();
  }

  /** It can't be built. */
  static final class FailedException extends Exception {
    private static final long serialVersionUID = 1L;

    FailedException(String message) {
      super(message);
    }
  }

  /** Nobody wants it any longer. */
  static final class AbandonedException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  void run() throws FailedException, AbandonedException {
    List<String> stages = new ArrayList<>();
    for (Recipe.Stage stage : job.recipe().stages()) {
      stages.add(make(stage, stages));
    }
    name(stages.getLast());
  }

  /** Comes last, so an image that has a name is whole. One that had it before loses it. */
  private void name(String id) {
    Optional<String> before = idOf(job.image());
    int tag = job.image().lastIndexOf(':');
    docker.tagImageCmd(id, job.image().substring(0, tag), job.image().substring(tag + 1)).exec();
    made.remove(id);
    before.filter(old -> !old.equals(id)).ifPresent(made::add);
  }

  private String make(Recipe.Stage stage, List<String> stages)
      throws FailedException, AbandonedException {
    say("FROM " + name(stage.base()));
    String image = id(stage.base(), stages);
    Optional<String> shell = Optional.empty();
    List<String> lines = new ArrayList<>();
    for (Step step : stage.steps()) {
      switch (step) {
        case Step.Configure(String instruction) -> {
          say(instruction);
          if (instruction.startsWith("SHELL ")) {
            shell = Optional.of(instruction);
          } else {
            lines.add(instruction);
          }
        }
        case Step.Copy(Source from, String arguments) -> {
          say("COPY --from=" + name(from) + " " + arguments);
          lines.add("COPY --from=" + id(from, stages) + " " + arguments);
        }
        case Step.Run(String command) -> {
          say("RUN " + command);
          // The Engine turns it into words, as it would for RUN.
          shell.ifPresent(lines::add);
          lines.add("ENTRYPOINT []");
          lines.add("CMD " + command);
          image = run(command, assemble(image, lines));
          lines = new ArrayList<>();
        }
      }
    }
    lines.add("ENTRYPOINT []");
    lines.add("CMD []");
    return assemble(image, lines);
  }

  private static String name(Source source) {
    return switch (source) {
      case Source.Image(String reference) -> reference;
      case Source.Earlier(int stage) -> Integer.toString(stage);
    };
  }

  private void say(String instruction) {
    number++;
    write(("[" + number + "] " + instruction + "\n").getBytes(UTF_8));
  }

  private void write(byte[] bytes) {
    try {
      log.write(bytes);
    } catch (IOException e) {
      LOG.warn("The log of a build can't be written: {}", e.getMessage());
    }
  }

  private String id(Source source, List<String> stages) throws FailedException {
    return switch (source) {
      case Source.Earlier(int stage) -> stages.get(stage);
      case Source.Image(String reference) -> idOfBase(reference);
    };
  }

  private String idOfBase(String reference) throws FailedException {
    return idOf(reference)
        .or(() -> idOf(reference + ":latest"))
        .orElseThrow(
            () ->
                new FailedException(
                    "this node does not have the image " + reference + ", and nothing is fetched"));
  }

  /** By its whole name: part of an id would do for the Engine, and could be guessed. */
  private Optional<String> idOf(String name) {
    return docker.listImagesCmd().exec().stream()
        .filter(
            image ->
                image.getRepoTags() != null && Arrays.asList(image.getRepoTags()).contains(name))
        .findFirst()
        .map(Image::getId);
  }

  /** Has the Engine build what runs nothing. */
  private String assemble(String from, List<String> lines)
      throws FailedException, AbandonedException {
    check();
    String id;
    try {
      Path context = Files.createTempDirectory("sandglass-build");
      Path dockerfile = context.resolve("Dockerfile");
      try {
        Files.writeString(dockerfile, "FROM " + from + "\n" + String.join("\n", lines) + "\n");
        id = assemble(dockerfile);
      } finally {
        Files.deleteIfExists(dockerfile);
        Files.deleteIfExists(context);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    account(from, id, 0);
    return id;
  }

  private String assemble(Path dockerfile) throws FailedException {
    try {
      String shortId =
          docker
              .buildImageCmd(dockerfile.toFile())
              .withNoCache(true)
              .withPull(false)
              .withForcerm(true)
              .withNetworkMode("none")
              .withMemory(builds.limits().memoryBytes())
              .withMemswap(builds.limits().memoryBytes())
              .withLabels(
                  Map.of(Labels.BUILDER, settings.nodeId(), Labels.REVISION, job.revision()))
              .exec(new BuildImageResultCallback())
              .awaitImageId(left().toMillis(), TimeUnit.MILLISECONDS);
      String id = docker.inspectImageCmd(shortId).exec().getId();
      made.add(id);
      return id;
    } catch (DockerClientException e) {
      throw left().isZero()
          ? late()
          : new FailedException(
              String.valueOf(e.getMessage()).replaceFirst("^Could not build image: ", ""));
    } catch (DockerException e) {
      throw refused(e);
    }
  }

  /** Runs the image's command within the walls of a sandbox; what it leaves is the next image. */
  private String run(String command, String image) throws FailedException, AbandonedException {
    check();
    String container = DockerImageBuilder.NAME + settings.nodeId() + "-" + job.revision();
    DockerImageBuilder.removeContainer(docker, container); // of an attempt that was broken off
    try {
      docker
          .createContainerCmd(image)
          .withName(container)
          .withHostName("build")
          .withLabels(Map.of(Labels.BUILDER, settings.nodeId()))
          .withHostConfig(
              ContainerRequest.walls(settings, builds.limits()).withNetworkMode(builds.network()))
          .exec();
    } catch (DockerException e) {
      throw refused(e);
    }
    try {
      ContainerState end = runToItsEnd(container);
      long code = Optional.ofNullable(end.getExitCodeLong()).orElse(-1L);
      if (code != 0) {
        boolean memory = Boolean.TRUE.equals(end.getOOMKilled()) || code == 137;
        throw new FailedException(
            "RUN %s: exit code %d%s"
                .formatted(
                    shortened(command),
                    code,
                    memory ? ", killed, perhaps for want of memory" : ""));
      }
      long files = watchesDisk() ? disk(container).files() : 0;
      String id = docker.commitCmd(container).withPause(false).exec();
      made.add(id);
      account(image, id, files);
      return id;
    } finally {
      DockerImageBuilder.removeContainer(docker, container);
    }
  }

  private static String shortened(String command) {
    return command.length() <= 200 ? command : command.substring(0, 200) + "…";
  }

  private ContainerState runToItsEnd(String container) throws FailedException, AbandonedException {
    var output =
        new ResultCallback.Adapter<Frame>() {
          @Override
          public void onNext(Frame frame) {
            write(frame.getPayload());
          }
        };
    try (output) {
      docker
          .attachContainerCmd(container)
          .withStdOut(true)
          .withStdErr(true)
          .withFollowStream(true)
          .exec(output)
          .awaitStarted(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
      try {
        docker.startContainerCmd(container).exec();
      } catch (DockerException e) {
        throw refused(e);
      }
      ContainerState end = awaitEnd(container);
      output.awaitCompletion(LAST_OUTPUT.toMillis(), TimeUnit.MILLISECONDS);
      return end;
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ContainerState awaitEnd(String container)
      throws FailedException, AbandonedException, InterruptedException {
    long lookedAt = System.nanoTime();
    int evasions = 0;
    while (true) {
      ContainerState state = docker.inspectContainerCmd(container).exec().getState();
      if (!Boolean.TRUE.equals(state.getRunning())) {
        return state;
      }
      check();
      if (watchesDisk() && System.nanoTime() - lookedAt > DISK_NANOS) {
        try {
          afford(disk(container));
          evasions = 0;
        } catch (RuntimeRefusedException e) {
          if (++evasions == MOST_EVASIONS) {
            throw new FailedException("it keeps its files from being counted");
          }
        }
        lookedAt = System.nanoTime();
      }
      Thread.sleep(POLL);
    }
  }

  private boolean watchesDisk() {
    return !builds.disk().equals(DiskUse.NOTHING);
  }

  private DiskUse disk(String container) {
    return meter.of(container).orElse(DiskUse.NOTHING);
  }

  private void account(String before, String after, long files) throws FailedException {
    written = written.plus(new DiskUse(Math.max(0, size(after) - size(before)), files));
    afford(DiskUse.NOTHING);
  }

  private long size(String image) {
    return Optional.ofNullable(docker.inspectImageCmd(image).exec().getSize()).orElse(0L);
  }

  private void afford(DiskUse more) throws FailedException {
    DiskUse all = written.plus(more);
    if (builds.disk().bytes() > 0 && all.bytes() > builds.disk().bytes()) {
      throw new FailedException(
          "it has written %d bytes to disk, more than its %d"
              .formatted(all.bytes(), builds.disk().bytes()));
    }
    if (builds.disk().files() > 0 && all.files() > builds.disk().files()) {
      throw new FailedException(
          "it has made %d files, more than its %d".formatted(all.files(), builds.disk().files()));
    }
  }

  private void check() throws FailedException, AbandonedException {
    if (abandoned.getAsBoolean()) {
      throw new AbandonedException();
    }
    if (left().isZero()) {
      throw late();
    }
  }

  private Duration left() {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  private FailedException late() {
    return new FailedException("it took longer than " + builds.timeout().toSeconds() + " s");
  }

  private static FailedException refused(DockerException e) {
    return new FailedException("Docker refused: " + String.valueOf(e.getMessage()).strip());
  }

  private static RuntimeUnavailableException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new RuntimeUnavailableException("interrupted while an image was built", e);
  }

  /** Removes what has no name and is no part of the result. */
  @Override
  public void close() {
    for (String id : List.copyOf(made).reversed()) {
      try {
        DockerImageBuilder.remove(docker, id);
      } catch (RuntimeException e) {
        LOG.debug("image={} stays until the next start: {}", id, e.getMessage());
      }
    }
  }
}
