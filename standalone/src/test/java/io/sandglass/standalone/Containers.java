package io.sandglass.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

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
