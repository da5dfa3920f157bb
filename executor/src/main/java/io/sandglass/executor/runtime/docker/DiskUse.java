package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.NotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a container has written over its image. */
final class DiskUse {
  private static final Logger LOG = LoggerFactory.getLogger(DiskUse.class);
  private static final long PATIENCE_SECONDS = 60;

  private DiskUse() {}

  /** In bytes; empty when the container is not there. */
  static OptionalLong of(DockerClient docker, String container) {
    try {
      Optional<OptionalLong> layer =
          layer(docker.inspectContainerCmd(container).exec()).map(DiskUse::blocks);
      return layer
          .filter(OptionalLong::isPresent)
          .orElseGet(() -> countedByDocker(docker, container));
    } catch (NotFoundException e) {
      return OptionalLong.empty();
    }
  }

  /** Its directory on the host; docker-java's type for it leaves it out. */
  private static Optional<String> layer(InspectContainerResponse container) {
    return container.getRawValues().get("GraphDriver") instanceof Map<?, ?> driver
            && driver.get("Data") instanceof Map<?, ?> data
            && data.get("UpperDir") instanceof String directory
        ? Optional.of(directory)
        : Optional.empty();
  }

  /** The lengths of its files: more than what is on disk when there are holes in them. */
  private static OptionalLong countedByDocker(DockerClient docker, String container) {
    Long bytes = docker.inspectContainerCmd(container).withSize(true).exec().getSizeRw();
    return OptionalLong.of(bytes == null ? 0 : bytes);
  }

  /**
   * The blocks that a tree of files takes on disk, as {@code du} counts them: it follows no link,
   * leaves no file system, and holes cost nothing. Java can't tell blocks. Empty when the tree
   * can't be seen from here, as from within a container.
   */
  private static OptionalLong blocks(String directory) {
    if (!Files.isReadable(Path.of(directory))) {
      return OptionalLong.empty();
    }
    try {
      Process du =
          new ProcessBuilder("du", "--summarize", "--block-size=1", "--one-file-system", directory)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try {
        if (!du.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          LOG.warn("du {} took longer than {} s", directory, PATIENCE_SECONDS);
          return OptionalLong.empty();
        }
        // Files that vanish meanwhile make it fail; it tells what it has counted all the same.
        String told = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return told.isBlank()
            ? OptionalLong.empty()
            : OptionalLong.of(Long.parseLong(told.strip().split("\\s", 2)[0]));
      } finally {
        du.destroyForcibly();
      }
    } catch (IOException e) {
      LOG.debug("du can't be run: {}", e.getMessage());
      return OptionalLong.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return OptionalLong.empty();
    }
  }
}
