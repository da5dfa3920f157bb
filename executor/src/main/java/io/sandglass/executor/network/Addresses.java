package io.sandglass.executor.network;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who has which address of the bridge. A released address rests before somebody else gets it, so
 * that what was under way to its last holder does not reach the next; the one that was free for
 * longest goes first.
 *
 * <p>Kept in memory alone: the containers themselves say which they hold.
 */
public final class Addresses {
  private final Range all;
  private final Duration rest;
  private final InstantSource clock;
  private final Map<String, Ipv4> byHolder = new HashMap<>();
  private final Set<Ipv4> held = new HashSet<>();
  private final Map<Ipv4, Instant> restsUntil = new HashMap<>();
  private long next;

  /**
   * @param subnet of the bridge, whose first two addresses and last one are nobody's
   * @param rest of a released address
   */
  public Addresses(Range subnet, Duration rest, InstantSource clock) {
    this.all = new Range(subnet.first() + 2, subnet.last() - 1);
    this.rest = rest;
    this.clock = clock;
    this.next = all.first();
  }

  /** How many there are. */
  public long size() {
    return all.last() - all.first() + 1;
  }

  /** The holder's own, or one that becomes it; empty when none is free. */
  public synchronized Optional<Ipv4> take(String holder) {
    Ipv4 own = byHolder.get(holder);
    if (own != null) {
      return Optional.of(own);
    }
    Instant now = clock.instant();
    restsUntil.values().removeIf(until -> !now.isBefore(until));
    for (long tried = 0; tried < size(); tried++) {
      Ipv4 address = new Ipv4(next);
      next = next == all.last() ? all.first() : next + 1;
      if (!held.contains(address) && !restsUntil.containsKey(address)) {
        hold(holder, address);
        return Optional.of(address);
      }
    }
    return Optional.empty();
  }

  /** Someone was found to have this address. */
  public synchronized void hold(String holder, Ipv4 address) {
    Ipv4 before = byHolder.put(holder, address);
    if (before != null && !before.equals(address)) {
      held.remove(before);
    }
    held.add(address);
    if (all.contains(address.bits()) && address.bits() >= next) {
      next = address.bits() == all.last() ? all.first() : address.bits() + 1;
    }
  }

  /** One holder's address becomes another's, without a rest. */
  public synchronized void pass(String from, String to) {
    Ipv4 address = byHolder.remove(from);
    if (address != null) {
      hold(to, address);
    }
  }

  public synchronized Optional<Ipv4> of(String holder) {
    return Optional.ofNullable(byHolder.get(holder));
  }

  /** Lets the holder's address rest. */
  public synchronized void release(String holder) {
    Ipv4 address = byHolder.remove(holder);
    if (address != null) {
      held.remove(address);
      restsUntil.put(address, clock.instant().plus(rest));
    }
  }
}
