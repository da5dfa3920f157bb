package io.sandglass.executor.network;

import java.util.Map;
import java.util.TreeMap;

/** Filters nothing, and remembers what it was asked for. */
public final class FakeFirewall implements Firewall {
  private final Map<Ipv4, Reach> asked = new TreeMap<>();
  private final Map<Ipv4, Reach> inForce = new TreeMap<>();

  @Override
  public synchronized void establish(Map<Ipv4, Reach> all) {
    asked.clear();
    inForce.clear();
    all.forEach(this::admit);
  }

  @Override
  public synchronized void admit(Ipv4 address, Reach reach) {
    asked.remove(address);
    inForce.remove(address);
    if (!reach.networks().isEmpty()) {
      asked.put(address, reach);
      inForce.put(address, reach);
    }
  }

  @Override
  public synchronized void revoke(Ipv4 address) {
    admit(address, Reach.NOTHING);
  }

  @Override
  public synchronized Map<Ipv4, Reach> inForce() {
    return new TreeMap<>(inForce);
  }

  @Override
  public synchronized boolean reassert() {
    boolean changed = !inForce.equals(asked);
    inForce.clear();
    inForce.putAll(asked);
    return changed;
  }

  /** Somebody else takes away what an address reaches. */
  public synchronized void disturb(Ipv4 address) {
    inForce.remove(address);
  }
}
