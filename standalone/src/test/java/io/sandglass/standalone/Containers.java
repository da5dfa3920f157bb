package io.sandglass.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;

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

  private static List<String> names(String nodeId) {
    return docker(
        "ps", "-a", "--filter", "label=io.sandglass.node=" + nodeId, "--format", "{{.Names}}");
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
    // The Engine may still be at work for the node: what it removes it refuses to remove twice, and
    // what it makes was not there when it was asked.
    Awaitility.await("nothing of " + nodeId + " is left")
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> removeWhatIsLeft(nodeId));
  }

  private static void removeWhatIsLeft(String nodeId) {
    List<String> ids =
        new ArrayList<>(docker("ps", "-aq", "--filter", "label=io.sandglass.node=" + nodeId));
    ids.addAll(docker("ps", "-aq", "--filter", "name=sandglass-build-" + nodeId));
    if (!ids.isEmpty()) {
      List<String> command = new ArrayList<>(List.of("rm", "-f"));
      command.addAll(ids);
      docker(command.toArray(String[]::new));
    }
    for (String image : imagesOf(nodeId)) {
      docker("rmi", "-f", image);
    }
    for (String network :
        docker(
            "network",
            "ls",
            "--filter",
            "label=io.sandglass.node=" + nodeId,
            "--format",
            "{{.Name}}")) {
      docker("network", "rm", network);
      run("nft", "add table inet " + network + "; delete table inet " + network);
    }
  }

  /** The lines a docker command prints; fails with its own words when it fails. */
  static List<String> docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  static List<String> run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
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
