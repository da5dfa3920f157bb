package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.Image;
import io.sandglass.executor.runtime.ImageBuilder;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Images that a Docker Engine builds for this node. Labels say which. */
public final class DockerImageBuilder implements ImageBuilder, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(DockerImageBuilder.class);

  /**
   * How the names of containers begin that builds run in. An image's labels are also those of its
   * sandboxes.
   */
  static final String NAME = "sandglass-build-";

  private static final String[] NO_TAG = {};

  private final DockerClient docker;
  private final DockerSettings settings;
  private final BuildSettings builds;

  public DockerImageBuilder(DockerSettings settings, BuildSettings builds) {
    // A command may be silent for as long as a build may take.
    this.docker = DockerRuntime.client(settings, builds.timeout().plus(settings.timeout()));
    this.settings = settings;
    this.builds = builds;
  }

  @Override
  public Outcome build(Job job, OutputStream log, BooleanSupplier abandoned) {
    return call(
        "build " + job.image(),
        () -> {
          try (DockerBuild build = new DockerBuild(docker, settings, builds, job, log, abandoned)) {
            build.run();
            return new Outcome.Done();
          } catch (DockerBuild.FailedException e) {
            return new Outcome.Failed(e.getMessage());
          } catch (DockerBuild.AbandonedException e) {
            return new Outcome.Abandoned();
          }
        });
  }

  @Override
  public List<Built> built() {
    return call(
        "images",
        () ->
            docker.listImagesCmd().withLabelFilter(own()).exec().stream()
                .flatMap(DockerImageBuilder::tagged)
                .toList());
  }

  private static Stream<Built> tagged(Image image) {
    return Arrays.stream(Optional.ofNullable(image.getRepoTags()).orElse(NO_TAG))
        .filter(tag -> !tag.equals("<none>:<none>"))
        .map(tag -> new Built(tag, image.labels.getOrDefault(Labels.REVISION, "")));
  }

  private Map<String, String> own() {
    return Map.of(Labels.BUILDER, settings.nodeId());
  }

  @Override
  public boolean remove(String image) {
    return call("remove " + image, () -> remove(docker, image));
  }

  /** Takes the untagged images with it that it was made of. */
  static boolean remove(DockerClient docker, String image) {
    try {
      docker.removeImageCmd(image).exec();
      return true;
    } catch (NotFoundException e) {
      return true;
    } catch (ConflictException e) {
      LOG.debug("image={} stays: {}", image, e.getMessage());
      return false;
    }
  }

  @Override
  public void clear() {
    call(
        "clear",
        () -> {
          for (Container container :
              docker.listContainersCmd().withShowAll(true).withLabelFilter(own()).exec()) {
            if (container.getNames()[0].startsWith("/" + NAME)) {
              removeContainer(docker, container.getId());
            }
          }
          docker.listImagesCmd().withDanglingFilter(true).withLabelFilter(own()).exec().stream()
              .map(Image::getId)
              .forEach(id -> remove(docker, id));
          return null;
        });
  }

  static void removeContainer(DockerClient docker, String id) {
    try {
      docker.removeContainerCmd(id).withForce(true).withRemoveVolumes(true).exec();
    } catch (NotFoundException | ConflictException e) {
      LOG.debug("container={} is going already", id);
    }
  }

  @Override
  public void close() throws IOException {
    docker.close();
  }

  private static <T> T call(String what, Supplier<T> call) {
    try {
      return call.get();
    } catch (DockerException e) {
      throw new RuntimeUnavailableException(
          "Docker: " + what + ": " + String.valueOf(e.getMessage()).strip(), e);
    } catch (RuntimeException e) {
      throw new RuntimeUnavailableException("Docker: " + what + ": " + e.getMessage(), e);
    }
  }
}
