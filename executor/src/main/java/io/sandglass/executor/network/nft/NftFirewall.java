package io.sandglass.executor.network.nft;

import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A table of nftables in the namespace of the bridge. Each change is one transaction: the kernel
 * takes all of it or nothing.
 */
public final class NftFirewall implements Firewall {
  private static final Logger LOG = LoggerFactory.getLogger(NftFirewall.class);

  private final Ruleset ruleset;
  private final HostCommands commands;
  private final Nftables nftables;
  private final Map<Ipv4, Reach> asked = new HashMap<>();
  private String rules = "";

  /**
   * @param table its name, of this node alone
   * @param bridge the interface that all sandboxes of this node are behind
   */
  public NftFirewall(String table, String bridge, Platform platform, HostCommands commands) {
    this.ruleset = new Ruleset(table, bridge, platform);
    this.commands = commands;
    this.nftables = new Nftables(commands);
  }

  @Override
  public synchronized void establish(Map<Ipv4, Reach> all) {
    asked.clear();
    all.forEach(this::note);
    establish();
  }

  private void note(Ipv4 address, Reach reach) {
    if (reach.networks().isEmpty()) {
      asked.remove(address);
    } else {
      asked.put(address, reach);
    }
  }

  private void establish() {
    load(ruleset.establish(asked));
    Listing listing = list();
    rules = listing.rules();
    if (!listing.reaches().equals(asked)) {
      throw new RuntimeUnavailableException("nftables did not take what it was given", null);
    }
  }

  private void load(String text) {
    if (!text.isEmpty()) {
      nftables.succeed(text);
    }
  }

  private Listing list() {
    return Listing.parse(nftables.succeed(ruleset.list()));
  }

  @Override
  public synchronized void admit(Ipv4 address, Reach reach) {
    change(address, reach);
  }

  @Override
  public synchronized void revoke(Ipv4 address) {
    change(address, Reach.NOTHING);
    HostCommands.Output output =
        commands.run("conntrack", "-D", "-f", "ipv4", "-s", address.toString());
    // It fails when there was nothing to forget.
    if (output.code() != 0 && !output.text().contains(" 0 flow entries")) {
      throw new RuntimeUnavailableException("conntrack failed: " + output.text().strip(), null);
    }
  }

  private void change(Ipv4 address, Reach reach) {
    Reach before = asked.getOrDefault(address, Reach.NOTHING);
    note(address, reach);
    try {
      load(ruleset.change(address, before, reach));
    } catch (RuntimeUnavailableException e) {
      LOG.warn("firewall table={} address={} was not as expected", ruleset.table(), address, e);
      establish();
    }
  }

  @Override
  public synchronized Map<Ipv4, Reach> inForce() {
    return new TreeMap<>(list().reaches());
  }

  @Override
  public synchronized boolean reassert() {
    if (isAsAsked()) {
      return false;
    }
    establish();
    return true;
  }

  private boolean isAsAsked() {
    HostCommands.Output output = nftables.run(ruleset.list());
    if (output.code() != 0) {
      return false; // gone
    }
    try {
      Listing listing = Listing.parse(output.text());
      return listing.rules().equals(rules) && listing.reaches().equals(asked);
    } catch (RuntimeException e) {
      LOG.debug("The table can't be read", e);
      return false;
    }
  }

  /**
   * Takes the table away, for good; sandboxes that are left are then only held by Docker's rules.
   */
  public synchronized void demolish() {
    try {
      nftables.run(ruleset.demolish());
    } finally {
      nftables.close();
    }
  }
}
