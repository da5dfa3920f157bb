package io.sandglass.executor;

import io.sandglass.executor.ExecutorConfiguration.NetworkSection;
import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.nft.HostCommands;
import io.sandglass.executor.network.nft.HostReport;
import io.sandglass.executor.network.nft.NftFirewall;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.sandbox.Networks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The network of a node's sandboxes: its addresses, and the packet filter around it. */
record NodeNetwork(Networks networks, Firewall firewall) {
  private static final Logger LOG = LoggerFactory.getLogger(NodeNetwork.class);
  private static final String PREFIX = "sg-";
  private static final int LONGEST_NAME = 15;

  /**
   * @throws io.sandglass.executor.runtime.RuntimeRefusedException when this host can't keep
   *     sandboxes apart
   */
  static NodeNetwork of(
      ExecutorConfiguration configuration, DockerRuntime runtime, InstantSource clock) {
    NetworkSection section = configuration.network;
    String name = name(configuration);
    Range subnet = runtime.subnet();
    Platform platform =
        Platform.of(new Ranges(List.of(subnet)), section.open, section.closed, section.dns);
    HostCommands commands =
        new HostCommands(
            Optional.of(section.enginePidFile).filter(path -> !path.isBlank()).map(Path::of));
    HostReport report = new HostReport(commands, name);
    report.refuseIfUntrue();
    report.weaknesses().forEach(weakness -> LOG.warn("weakness: {}", weakness));
    section.open.forEach(
        opened -> LOG.warn("weakness: sandboxes may reach the private network {}", opened));
    Addresses addresses = new Addresses(subnet, section.addressRest.toJavaDuration(), clock);
    Firewall firewall = new NftFirewall(name, name, platform, commands);
    return new NodeNetwork(new Networks(runtime, firewall, addresses, section.ahead), firewall);
  }

  /** An interface has a short name, so a long node id is hashed. */
  static String name(ExecutorConfiguration configuration) {
    if (!configuration.network.name.isBlank()) {
      return configuration.network.name;
    }
    String plain = PREFIX + configuration.nodeId;
    return plain.length() <= LONGEST_NAME
        ? plain
        : PREFIX + hash(configuration.nodeId).substring(0, LONGEST_NAME - PREFIX.length());
  }

  private static String hash(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
