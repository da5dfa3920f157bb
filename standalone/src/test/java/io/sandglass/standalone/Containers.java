package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The sandboxes' containers as the Docker command line shows them: an eye that is not ours. */
final class Containers {
  private Containers() {}

  /** Names of all containers of a sandbox, whatever their state. */
  static List<String> of(String sandboxId) {
    return docker(
        "ps", "-a", "--filter", "name=^/?sbx-" + sandboxId + "-[0-9]+$", "--format", "{{.Names}}");
  }

  /** Sandbox ids of all containers of a node. */
  static List<String> sandboxesOn(String nodeId) {
    return names(nodeId).stream()
        .filter(name -> name.startsWith("sbx-"))
        .map(name -> name.substring("sbx-".length(), name.lastIndexOf('-')))
        .toList();
  }

  /** Names of the containers of a node that are no sandbox's yet. */
  static List<String> sparesOn(String nodeId) {
    return names(nodeId).stream().filter(name -> name.startsWith("pool-")).toList();
  }

  /** How many of a node's containers run whose names begin so. */
  static long runningOn(String nodeId, String prefix) {
    return names(nodeId, "--filter", "status=running").stream()
        .filter(name -> name.startsWith(prefix))
        .count();
  }

  /** All its processes stand still, by the kernel's word. */
  static void assertFrozen(String container) throws IOException {
    String pid = docker("inspect", "--format", "{{.State.Pid}}", container).getFirst();
    List<String> groups = Files.readAllLines(Path.of("/proc", pid, "cgroup"));
    Path root = Path.of("/sys/fs/cgroup");
    Optional<String> freezer = groups.stream().filter(g -> g.contains(":freezer:")).findFirst();
    if (freezer.isPresent()) {
      String group = freezer.get().replaceFirst(".*:freezer:/", "");
      assertThat(root.resolve("freezer").resolve(group).resolve("freezer.state"))
          .content()
          .isEqualToIgnoringNewLines("FROZEN");
    } else {
      String group = groups.getFirst().replaceFirst("0::/", "");
      assertThat(root.resolve(group).resolve("cgroup.events")).content().contains("frozen 1");
    }
  }

  private static List<String> names(String nodeId, String... filter) {
    List<String> command = new ArrayList<>(List.of("ps", "-a"));
    command.addAll(List.of("--filter", "label=io.sandglass.node=" + nodeId));
    command.addAll(List.of(filter));
    command.addAll(List.of("--format", "{{.Names}}"));
    return docker(command.toArray(String[]::new));
  }

  /** Ids of the images that a node has built. */
  static List<String> imagesOf(String nodeId) {
    return docker("images", "-q", "--filter", "label=io.sandglass.builder=" + nodeId);
  }

  /**
   * Of a node that will not come back: containers, images, network, and the packet filter around
   * them.
   */
  static void removeAll(String nodeId) {
    run("../bin/remove-node", nodeId);
  }

  /**
   * The lines a docker command prints; fails with its own words when it fails, or has not ended
   * after five minutes.
   */
  static List<String> docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  static List<String> run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      var _ =
          process
              .onExit()
              .orTimeout(5, TimeUnit.MINUTES)
              .exceptionally(_ -> process.destroyForcibly());
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new AssertionError(
            String.join(" ", command) + " failed with " + code + ": " + output);
      }
      return output.lines().filter(line -> !line.isBlank()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException("It is needed: run bin/docker-up", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
