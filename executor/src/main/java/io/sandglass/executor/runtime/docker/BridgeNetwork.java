package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.model.Network;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one bridge of all sandboxes of this node and of nobody else. Its interface on the host has
 * the network's name, and its subnet is known, so that a packet filter can be keyed by both.
 */
final class BridgeNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(BridgeNetwork.class);
  private static final String INTERFACE = "com.docker.network.bridge.name";
  private static final String ICC = "com.docker.network.bridge.enable_icc";

  /** Subnets are chosen from 10.208.0.0/12; a bridge has 1,023 ports, so more would be no use. */
  private static final long POOL = Ipv4.parse("10.208.0.0").bits();

  private static final int SUBNETS = 1024;
  private static final int SUBNET_SIZE = 1024;

  private final DockerClient docker;
  private final DockerSettings settings;
  private Optional<Range> known = Optional.empty();

  BridgeNetwork(DockerClient docker, DockerSettings settings) {
    this.docker = docker;
    this.settings = settings;
  }

  /** Makes the network unless it is there; returns its subnet. */
  synchronized Range ensure() {
    if (known.isEmpty()) {
      Optional<Network> found = find();
      if (found.isEmpty()) {
        make();
        found = find();
      }
      known = found.map(this::subnet);
    }
    return known.orElseThrow(
        () -> new RuntimeRefusedException("The network " + settings.bridge() + " vanished", null));
  }

  /** The filter matches parts of names. */
  private Optional<Network> find() {
    return docker.listNetworksCmd().withNameFilter(settings.bridge()).exec().stream()
        .filter(network -> network.getName().equals(settings.bridge()))
        .findFirst();
  }

  private Range subnet(Network network) {
    boolean ours =
        Optional.ofNullable(network.getLabels())
                .orElse(Map.of())
                .getOrDefault(Labels.NODE, "")
                .equals(settings.nodeId())
            && settings.bridge().equals(network.getOptions().get(INTERFACE));
    if (!ours) {
      throw new RuntimeRefusedException(
          "The network "
              + settings.bridge()
              + " was not made by this node; remedy: docker network rm "
              + settings.bridge()
              + ", or configure another name",
          null);
    }
    return Range.network(network.getIpam().getConfig().getFirst().getSubnet());
  }

  private void make() {
    List<String> candidates =
        settings
            .subnet()
            .map(List::of)
            .orElseGet(
                () ->
                    IntStream.range(0, SUBNETS)
                        .map(i -> Math.floorMod(settings.nodeId().hashCode() + i, SUBNETS))
                        .mapToObj(i -> new Ipv4(POOL + (long) i * SUBNET_SIZE) + "/22")
                        .toList());
    for (String subnet : candidates) {
      if (make(subnet)) {
        return;
      }
    }
    throw new RuntimeRefusedException(
        "The subnet of the network "
            + settings.bridge()
            + " is taken by another network of Docker's ("
            + candidates.getFirst()
            + "); remedy: configure another",
        null);
  }

  /** False when another network has some of this subnet. */
  private boolean make(String subnet) {
    Range range = Range.network(subnet);
    try {
      docker
          .createNetworkCmd()
          .withName(settings.bridge())
          .withDriver("bridge")
          .withCheckDuplicate(true)
          .withIpam(
              new Network.Ipam()
                  .withConfig(
                      new Network.Ipam.Config()
                          .withSubnet(subnet)
                          .withGateway(new Ipv4(range.first() + 1).toString())))
          .withOptions(Map.of(ICC, "false", INTERFACE, settings.bridge()))
          .withLabels(Map.of("io.sandglass.network", "sandboxes", Labels.NODE, settings.nodeId()))
          .exec();
      LOG.info("network={} subnet={} created", settings.bridge(), subnet);
      return true;
    } catch (ConflictException e) {
      LOG.debug("network={} was made by somebody else meanwhile", settings.bridge());
      return true;
    } catch (DockerException e) {
      if (String.valueOf(e.getMessage()).contains("overlaps")) {
        return false;
      }
      throw e;
    }
  }

  /** Has the next {@link #ensure} look again. */
  synchronized void forget() {
    known = Optional.empty();
  }
}
