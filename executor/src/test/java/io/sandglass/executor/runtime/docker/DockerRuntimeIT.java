package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.ContainerRuntimeContract;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class DockerRuntimeIT extends ContainerRuntimeContract {
  private static DockerRuntime runtime;

  @TempDir Path data;

  @BeforeAll
  static void connect() {
    runtime = TestDocker.runtime("it-contract");
  }

  @AfterAll
  static void close() throws IOException {
    runtime.close();
  }

  @Override
  protected ContainerRuntime runtime() {
    return runtime;
  }

  @Override
  protected String image() {
    return TestDocker.IMAGE;
  }

  @Override
  protected Path guestDirectory(Life life) {
    try {
      Path directory = Files.createDirectories(data.resolve(life.containerName()));
      EndpointChannels.in(data, Duration.ofSeconds(1)).install(directory);
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
