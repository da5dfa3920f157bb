package io.sandglass.executor.network.nft;

import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What about this host keeps the firewall from being true, or makes it weaker. */
public final class HostReport {

  /** Something that is not as it should be, and how to mend it. */
  public record Finding(String cause, String remedy) {
    @Override
    public String toString() {
      return cause + "; remedy: " + remedy;
    }
  }

  private static final String FILTER =
      "run the executor as root with CAP_NET_ADMIN, on a kernel with nf_tables and nf_conntrack"
          + " (Linux 5.6 or later)";
  private static final String NO_BRIDGE = "sg-nobody";
  private static final Ipv4 SAMPLE = Ipv4.parse("198.51.100.1");

  private final HostCommands commands;
  private final String bridge;

  /**
   * @param bridge the interface that the sandboxes are behind, which must be there
   */
  public HostReport(HostCommands commands, String bridge) {
    this.commands = commands;
    this.bridge = bridge;
  }

  /**
   * @throws RuntimeRefusedException when sandboxes could not be held on this host
   */
  public void refuseIfUntrue() {
    List<Finding> findings = flaws();
    if (!findings.isEmpty()) {
      throw new RuntimeRefusedException(
          "This host can't keep sandboxes apart: "
              + String.join(". ", findings.stream().map(Finding::toString).toList()),
          null);
    }
  }

  /** What makes isolation untrue. */
  List<Finding> flaws() {
    List<Finding> flaws = new ArrayList<>();
    if (!succeeds("ip", "link", "show", "dev", bridge)) {
      flaws.add(
          new Finding(
              "the bridge " + bridge + " is not in the network namespace of the executor",
              "run the executor on the machine of the Docker Engine, in the host's network"
                  + " namespace or with network.enginePidFile (see docs/security.md)"));
      return flaws;
    }
    if (!"1".equals(kernel("net.bridge.bridge-nf-call-iptables").orElse(""))) {
      flaws.add(
          new Finding(
              "net.bridge.bridge-nf-call-iptables is not 1, so what sandboxes send each other is"
                  + " never filtered",
              "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1"));
    }
    if (!succeeds("conntrack", "--version")) {
      flaws.add(new Finding("conntrack can't be run", "apt-get install conntrack"));
    }
    // The library ends the process that it finds no netlink in, so a program tries first.
    if (!succeeds("nft", "list", "tables")) {
      flaws.add(new Finding("nft can't list tables", "apt-get install nftables; " + FILTER));
    } else {
      selfTest().ifPresent(flaws::add);
    }
    return flaws;
  }

  /** Takes the whole way once, with a table that no packet meets. */
  private Optional<Finding> selfTest() {
    String table = bridge + "-selftest";
    NftFirewall firewall =
        new NftFirewall(table, NO_BRIDGE, new Platform(Ranges.NONE, Ranges.NONE), commands);
    try {
      Reach some =
          new Reach(
              Ranges.networks(List.of("203.0.113.128/25", "203.0.113.7")),
              Optional.of(Ranges.ports(List.of(443))));
      firewall.establish(Map.of(SAMPLE, Reach.ALL));
      firewall.admit(SAMPLE, some);
      if (!firewall.inForce().equals(Map.of(SAMPLE, some))) {
        return Optional.of(
            new Finding("nftables does not keep what it is given", "upgrade nftables"));
      }
      firewall.revoke(SAMPLE);
      return Optional.empty();
    } catch (RuntimeUnavailableException e) {
      return Optional.of(
          new Finding("the packet filter can't be set (" + e.getMessage() + ")", FILTER));
    } finally {
      firewall.demolish();
    }
  }

  /** What makes the walls weaker than they could be. */
  public List<Finding> weaknesses() {
    List<Finding> weaknesses = new ArrayList<>();
    if (!"1".equals(kernel("net.ipv4.ip_forward").orElse(""))) {
      weaknesses.add(
          new Finding(
              "net.ipv4.ip_forward is not 1, so no sandbox reaches anything",
              "sysctl -w net.ipv4.ip_forward=1"));
    }
    for (String scope : List.of("all", bridge)) {
      if ("1".equals(kernel("net.ipv4.conf." + scope + ".route_localnet").orElse(""))) {
        weaknesses.add(
            new Finding(
                "net.ipv4.conf."
                    + scope
                    + ".route_localnet is 1, so only the packet filter keeps"
                    + " sandboxes from what listens on 127.0.0.1",
                "sysctl -w net.ipv4.conf." + scope + ".route_localnet=0"));
      }
    }
    if ("0".equals(kernel("net.bridge.bridge-nf-call-ip6tables").orElse(""))) {
      weaknesses.add(
          new Finding(
              "net.bridge.bridge-nf-call-ip6tables is 0, so only the sandboxes' own lack of IPv6"
                  + " keeps them from using it among each other",
              "sysctl -w net.bridge.bridge-nf-call-ip6tables=1"));
    }
    return weaknesses;
  }

  private boolean succeeds(String... command) {
    try {
      return commands.run(command).code() == 0;
    } catch (RuntimeUnavailableException e) {
      return false;
    }
  }

  private Optional<String> kernel(String setting) {
    HostCommands.Output output = commands.run("cat", "/proc/sys/" + setting.replace('.', '/'));
    return output.code() == 0 ? Optional.of(output.text().strip()) : Optional.empty();
  }
}
