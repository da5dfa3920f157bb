package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.HostPrograms;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The Docker Engine of the machine that runs the tests. Without one they fail, and say so. */
public final class TestDocker {
  public static final String IMAGE = "sandglass/python:0.1.0";

  private static final String SOCKET = "unix:///var/run/docker.sock";

  private TestDocker() {}

  /** The network of a node of the tests, which each has for itself. */
  public static String bridge(String nodeId) {
    return "sgt-" + nodeId;
  }

  public static DockerRuntime runtime(String nodeId, String... resolvers) {
    DockerRuntime runtime = new DockerRuntime(settings(nodeId, resolvers));
    if (runtime.imageId(IMAGE).isEmpty()) {
      throw new IllegalStateException(
          "These tests need the image " + IMAGE + ": make images builds it");
    }
    return runtime;
  }

  /** One of another Engine. */
  public static DockerRuntime runtimeAt(String host, String nodeId) {
    return new DockerRuntime(settings(host, nodeId, Walls.of("", "")));
  }

  /** One whose sandboxes have this OCI runtime. */
  static DockerRuntime runtimeOf(String ociRuntime, String nodeId) {
    return new DockerRuntime(settings(SOCKET, nodeId, Walls.of(ociRuntime, "")));
  }

  static DockerSettings settings(String nodeId, String... resolvers) {
    return settings(SOCKET, nodeId, Walls.of("", ""), resolvers);
  }

  private static DockerSettings settings(
      String host, String nodeId, Walls walls, String... resolvers) {
    return new DockerSettings(
        host,
        nodeId,
        bridge(nodeId),
        Optional.empty(),
        List.of(resolvers),
        256,
        4096,
        Duration.ofSeconds(60),
        walls);
  }

  /** All that a node of the tests has left on the machine. */
  public static void removeNode(String nodeId) {
    HostPrograms.run("../bin/remove-node", nodeId);
  }

  /** What a docker command writes. */
  public static String docker(String... arguments) {
    return HostPrograms.run(
        Stream.concat(Stream.of("docker"), Arrays.stream(arguments)).toArray(String[]::new));
  }
}
