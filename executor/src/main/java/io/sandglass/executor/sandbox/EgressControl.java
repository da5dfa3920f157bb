package io.sandglass.executor.sandbox;

import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a sandbox's packets can reach: its address, and the policy in force for it. An address
 * without a policy reaches nothing, so a container may be made, and even run, before its policy is
 * known.
 *
 * <p>The policy is on disk before it is in the packet filter, with the version of the order that it
 * came with: an older one that is delivered again changes nothing.
 */
public final class EgressControl {
  private static final Logger LOG = LoggerFactory.getLogger(EgressControl.class);

  private final ContainerRuntime runtime;
  private final Firewall firewall;
  private final Addresses addresses;
  private final LifeDirectories directories;
  private final AtomicLong drifts = new AtomicLong();
  private boolean restored;

  public EgressControl(
      ContainerRuntime runtime,
      Firewall firewall,
      Addresses addresses,
      LifeDirectories directories) {
    this.runtime = runtime;
    this.firewall = firewall;
    this.addresses = addresses;
    this.directories = directories;
  }

  /** The address of a container that is about to be made; empty when none is free. */
  Optional<Ipv4> address(Life life) {
    restore();
    Optional<Ipv4> own = addresses.of(life.containerName());
    if (own.isPresent()) {
      return own;
    }
    Optional<Ipv4> taken = addresses.take(life.containerName());
    // A process that was killed may have left connections of the last holder.
    taken.ifPresent(firewall::revoke);
    return taken;
  }

  /** A spare has become a sandbox's. */
  void pass(Life spare, Life life) {
    addresses.pass(spare.containerName(), life.containerName());
  }

  /** Puts a policy in force, unless one of a later order is. */
  void raise(Life life, Ipv4 address, EgressPolicy policy, long version) {
    addresses.hold(life.containerName(), address);
    EgressNote latest =
        directories
            .egress(life)
            .filter(noted -> noted.version() >= version)
            .orElseGet(() -> new EgressNote(version, policy));
    directories.noteEgress(life, latest);
    firewall.admit(address, latest.policy().reach());
  }

  /** Changes the policy of a sandbox that is here; does nothing for one that has no address. */
  void change(Life life, EgressPolicy policy, long version) {
    restore();
    addresses
        .of(life.containerName())
        .ifPresentOrElse(
            address -> raise(life, address, policy, version),
            () -> LOG.warn("egress={} has no address: its container is of no use", life));
  }

  /** Gives up the address of a container that is gone. */
  void tearDown(Life life) {
    addresses
        .of(life.containerName())
        .ifPresent(
            address -> {
              firewall.revoke(address);
              addresses.release(life.containerName());
            });
  }

  /**
   * Has everything in force that is noted for the containers that are here, once in the life of
   * this process and before it does anything else to addresses.
   */
  synchronized void restore() {
    if (restored) {
      return;
    }
    Map<Ipv4, Reach> all = new HashMap<>();
    for (FoundContainer container : runtime.list()) {
      Life life = container.life();
      container
          .address()
          .map(Ipv4::parse)
          .ifPresent(
              address -> {
                addresses.hold(life.containerName(), address);
                directories
                    .egress(life)
                    .ifPresent(noted -> all.put(address, noted.policy().reach()));
              });
    }
    firewall.establish(all);
    restored = true;
    LOG.info("firewall established sandboxes={}", all.size());
  }

  /** Puts right what somebody else changed. */
  void reassert() {
    restore();
    if (firewall.reassert()) {
      drifts.incrementAndGet();
      LOG.warn("firewall was changed by somebody else; it is as it should be again");
    }
  }

  /** How often somebody else had changed the packet filter. */
  public long drifts() {
    return drifts.get();
  }
}
