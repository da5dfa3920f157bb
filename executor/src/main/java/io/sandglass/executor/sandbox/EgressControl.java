package io.sandglass.executor.sandbox;

import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final Networks networks;
  private final LifeDirectories directories;
  private final AtomicLong drifts = new AtomicLong();
  private boolean restored;

  public EgressControl(
      ContainerRuntime runtime, Firewall firewall, Networks networks, LifeDirectories directories) {
    this.runtime = runtime;
    this.firewall = firewall;
    this.networks = networks;
    this.directories = directories;
  }

  /** The address of a container that is about to be made; empty when none is free. */
  Optional<Ipv4> address(Life life) {
    restore();
    return networks.take(life);
  }

  /** A spare has become a sandbox's. */
  void pass(Life spare, Life life) {
    networks.pass(spare, life);
  }

  /** Puts a policy in force, unless one of a later order is. */
  void raise(Life life, Ipv4 address, EgressPolicy policy, long version) {
    networks.hold(life, address);
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
    networks
        .of(life)
        .ifPresentOrElse(
            address -> raise(life, address, policy, version),
            () -> LOG.warn("egress={} has no address: its container is of no use", life));
  }

  /** Gives up the address of a container that is gone. */
  void tearDown(Life life) {
    networks
        .of(life)
        .ifPresent(
            address -> {
              firewall.revoke(address);
              networks.release(life);
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
    Set<Ipv4> held = new HashSet<>();
    for (FoundContainer container : runtime.list()) {
      Life life = container.life();
      container
          .address()
          .map(Ipv4::parse)
          .ifPresent(
              address -> {
                networks.hold(life, address);
                held.add(address);
                directories
                    .egress(life)
                    .ifPresent(noted -> all.put(address, noted.policy().reach()));
              });
    }
    firewall.establish(all);
    networks.restore(held);
    restored = true;
    LOG.info("firewall established sandboxes={}", all.size());
  }

  /**
   * Puts right what somebody else changed, and ends what can't be put right.
   *
   * @param containers all that there were, a moment ago
   */
  void reassert(List<FoundContainer> containers) {
    restore();
    endCutOff(containers);
    if (firewall.reassert()) {
      drifts.incrementAndGet();
      LOG.warn("firewall was changed by somebody else; it is as it should be again");
    }
  }

  /**
   * Without its namespace's holder a sandbox would go on, and reach nothing whatever its policy.
   */
  private void endCutOff(List<FoundContainer> containers) {
    List<FoundContainer> suspects = cutOff(containers);
    if (suspects.isEmpty()) {
      return;
    }
    // The lists are of different moments: what runs now had its network before.
    List<FoundContainer> still =
        suspects.stream().flatMap(one -> runtime.find(one.life()).stream()).toList();
    for (FoundContainer container : cutOff(still)) {
      String why = "its processes were ended for having lost their network: its holder was ended";
      LOG.warn("sandbox={} {}", container.life().sandboxId(), why);
      directories.noteEnding(container.life(), why);
      runtime.stop(container.life(), Duration.ZERO); // the relist tells the log
    }
  }

  private List<FoundContainer> cutOff(List<FoundContainer> containers) {
    Map<String, Boolean> connected = runtime.networks();
    return containers.stream()
        .filter(one -> one.phase() == Phase.RUNNING || one.phase() == Phase.FROZEN)
        .filter(one -> !one.address().map(it -> connected.getOrDefault(it, false)).orElse(true))
        .toList();
  }

  /** How often somebody else had changed the packet filter. */
  public long drifts() {
    return drifts.get();
  }
}
