package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.NotFoundException;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Measures what containers have written over their images. */
final class DiskMeter {
  private static final long PATIENCE_SECONDS = 60;
  private static final int ATTEMPTS = 5;

  private final DockerClient docker;

  /** Where the Engine keeps the files of all containers, once those of one have been seen. */
  private volatile Optional<Path> layers = Optional.empty();

  DiskMeter(DockerClient docker) {
    this.docker = docker;
  }

  /** Empty when the container is not there. */
  Optional<DiskUse> of(String container) {
    try {
      Optional<Path> layer =
          layer(docker.inspectContainerCmd(container).exec()).filter(Files::isReadable);
      if (layer.isEmpty()) { // as from within a container
        return Optional.of(new DiskUse(countedByDocker(container), 0));
      }
      layers = layer.map(directory -> directory.getParent().getParent());
      return walked(layer.get());
    } catch (NotFoundException e) {
      return Optional.empty();
    }
  }

  /** Its directory on the host; docker-java's type for it leaves it out. */
  private static Optional<Path> layer(InspectContainerResponse container) {
    return container.getRawValues().get("GraphDriver") instanceof Map<?, ?> driver
            && driver.get("Data") instanceof Map<?, ?> data
            && data.get("UpperDir") instanceof String directory
        ? Optional.of(Path.of(directory))
        : Optional.empty();
  }

  /** The lengths of its files: more than what is on disk when there are holes in them. */
  private long countedByDocker(String container) {
    return Optional.ofNullable(
            docker.inspectContainerCmd(container).withSize(true).exec().getSizeRw())
        .orElse(0L);
  }

  /**
   * A tree of files as {@code du} counts it: it follows no link, leaves no file system, and counts
   * a file once however many names it has. Java can't tell blocks. Empty when the tree has gone.
   */
  private static Optional<DiskUse> walked(Path directory) {
    Optional<Long> bytes = du("--block-size=1", directory);
    return bytes.isEmpty()
        ? Optional.empty()
        : du("--inodes", directory).map(files -> new DiskUse(bytes.get(), files));
  }

  /**
   * Files that vanish meanwhile are left out. A directory that is moved while it is in there ends a
   * walk without a result, so that it takes some luck where that is done on purpose.
   */
  private static Optional<Long> du(String unit, Path directory) {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      String told = run("du", "--summarize", unit, "--one-file-system", directory.toString());
      if (!told.isBlank()) {
        return Optional.of(Long.parseLong(told.strip().split("\\s", 2)[0]));
      }
      if (!Files.exists(directory)) {
        return Optional.empty();
      }
    }
    throw new RuntimeRefusedException(
        "directories are moved while the files in " + directory + " are counted", null);
  }

  /**
   * What is on the file system that the containers write to, told without a walk. Empty as long as
   * no container's files have been seen there.
   */
  Optional<DiskUse> storage() {
    return layers.map(
        directory -> {
          String[] told =
              run("stat", "--file-system", "--format=%S %b %f %c %d", directory.toString())
                  .strip()
                  .split(" ", -1);
          if (told.length != 5) {
            throw new RuntimeUnavailableException("stat can't tell of " + directory, null);
          }
          long blocks = Long.parseLong(told[1]) - Long.parseLong(told[2]);
          return new DiskUse(
              Long.parseLong(told[0]) * blocks, Long.parseLong(told[3]) - Long.parseLong(told[4]));
        });
  }

  private static String run(String... command) {
    String name = String.join(" ", command);
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          throw new RuntimeUnavailableException(
              name + " took longer than " + PATIENCE_SECONDS + " s", null);
        }
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new RuntimeUnavailableException(name + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeUnavailableException("interrupted while " + name + " ran", e);
    }
  }
}
