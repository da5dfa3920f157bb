package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one bridge of all sandboxes, on which Docker drops what one sends to another. */
final class BridgeNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(BridgeNetwork.class);
  private static final String ICC = "com.docker.network.bridge.enable_icc";

  private final DockerClient docker;
  private final String name;
  private boolean known;

  BridgeNetwork(DockerClient docker, String name) {
    this.docker = docker;
    this.name = name;
  }

  /** Makes the network unless it is there. */
  synchronized void ensure() {
    if (known) {
      return;
    }
    // The filter matches parts of names, and Docker allows several networks of one name.
    boolean exists =
        docker.listNetworksCmd().withNameFilter(name).exec().stream()
            .anyMatch(network -> network.getName().equals(name));
    if (!exists) {
      try {
        docker
            .createNetworkCmd()
            .withName(name)
            .withDriver("bridge")
            .withCheckDuplicate(true)
            .withOptions(Map.of(ICC, "false"))
            .withLabels(Map.of("io.sandglass.network", "sandboxes"))
            .exec();
        LOG.info("network={} created", name);
      } catch (ConflictException e) {
        LOG.debug("network={} was made by somebody else meanwhile", name);
      }
    }
    known = true;
  }

  /** Has the next {@link #ensure} look again. */
  synchronized void forget() {
    known = false;
  }
}
