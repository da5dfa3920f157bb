package io.sandglass.executor.runtime.docker;

import java.time.Duration;
import java.util.List;

/** The Docker Engine of the machine that runs the tests. Without one they fail, and say so. */
public final class TestDocker {
  public static final String IMAGE = "sandglass/python:0.1.0";

  private TestDocker() {}

  public static DockerRuntime runtime(String nodeId) {
    DockerRuntime runtime =
        new DockerRuntime(
            new DockerSettings(
                "unix:///var/run/docker.sock",
                nodeId,
                "sandglass-test",
                List.of(),
                256,
                4096,
                Duration.ofSeconds(60),
                Walls.of("", "")));
    if (!runtime.imageExists(IMAGE)) {
      throw new IllegalStateException(
          "These tests need the image " + IMAGE + ": make images builds it");
    }
    return runtime;
  }
}
