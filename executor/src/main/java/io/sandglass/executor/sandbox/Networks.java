package io.sandglass.executor.sandbox;

import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import io.sandglass.executor.sandbox.Preemption.PreemptedException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of this node's containers, each with a network namespace of its own. A few are kept
 * ready with their namespace made, which is most of what a start would wait for. They are made when
 * no sandbox starts that it would slow down, unless most are used up. A namespace is never used
 * again: its address rests from when it is gone.
 */
public final class Networks {
  private static final Logger LOG = LoggerFactory.getLogger(Networks.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final String MAKING = "net";

  /** A start is over after so long. */
  private static final Duration START = Duration.ofMillis(500);

  private final ContainerRuntime runtime;
  private final Firewall firewall;
  private final Addresses addresses;
  private final int ahead;
  private final Preemption ending = new Preemption();
  private final Deque<Ipv4> ready = new ArrayDeque<>();
  private final Deque<Ipv4> leaving = new ArrayDeque<>();
  private boolean restored;
  private long lastTaken = System.nanoTime();
  private Optional<Thread> thread = Optional.empty();

  /**
   * @param ahead how many to keep ready
   */
  public Networks(ContainerRuntime runtime, Firewall firewall, Addresses addresses, int ahead) {
    this.runtime = runtime;
    this.firewall = firewall;
    this.addresses = addresses;
    this.ahead = ahead;
  }

  /** Begins to make some ahead, and to remove what is left, once it is known what is here. */
  public void start() {
    thread = Optional.of(Thread.ofVirtual().name("networks").start(this::work));
  }

  /** Ends with what is under way. What is ready is removed by the next process. */
  public void stop() throws InterruptedException {
    ending.fire(Preemption.Cause.SHUTDOWN);
    synchronized (this) {
      notifyAll();
    }
    if (thread.isPresent()) {
      thread.get().join();
    }
  }

  /** A container was found to have this address. */
  synchronized void hold(Life life, Ipv4 address) {
    addresses.hold(life.containerName(), address);
  }

  /** All containers' addresses are held now; what other namespaces there are is of no use. */
  synchronized void restore(Set<Ipv4> held) {
    Set<Ipv4> others =
        runtime.networks().keySet().stream()
            .map(Ipv4::parse)
            .filter(address -> !held.contains(address))
            .collect(Collectors.toSet());
    others.forEach(address -> addresses.hold(own(address), address));
    leaving.addAll(others);
    restored = true;
    notifyAll();
  }

  /** As a holder among the containers. */
  private static String own(Ipv4 address) {
    return "net-" + address;
  }

  synchronized Optional<Ipv4> of(Life life) {
    return addresses.of(life.containerName());
  }

  /** The life's own, or one that becomes it, ready if there is one; empty when none is free. */
  Optional<Ipv4> take(Life life) {
    String name = life.containerName();
    Optional<Ipv4> taken;
    synchronized (this) {
      Optional<Ipv4> own = addresses.of(name);
      if (own.isPresent()) {
        return own;
      }
      Optional<Ipv4> made = Optional.ofNullable(ready.poll());
      if (made.isPresent()) {
        addresses.pass(own(made.get()), name);
        lastTaken = System.nanoTime();
        notifyAll();
        return made;
      }
      taken = addresses.take(name);
    }
    taken.ifPresent(this::clean);
    return taken;
  }

  /** A process that was killed may have left connections of the last holder. */
  private void clean(Ipv4 address) {
    firewall.revoke(address);
  }

  /** One life's address becomes another's. */
  synchronized void pass(Life from, Life to) {
    addresses.pass(from.containerName(), to.containerName());
  }

  /** The life's container is gone. Its namespace goes soon, and then its address rests. */
  synchronized void release(Life life) {
    of(life)
        .ifPresent(
            address -> {
              addresses.pass(life.containerName(), own(address));
              leaving.add(address);
              notifyAll();
            });
  }

  /** How many are ready. */
  public synchronized int ready() {
    return ready.size();
  }

  private void work() {
    try {
      while (true) {
        awaitWork();
        boolean closed = succeeds(this::close);
        boolean opened = succeeds(this::open);
        if (!closed || !opened) {
          ending.pause(RETRY);
        }
      }
    } catch (PreemptedException e) {
      LOG.debug("no more networks are made");
    }
  }

  private static boolean succeeds(BooleanSupplier step) {
    try {
      return step.getAsBoolean();
    } catch (RuntimeUnavailableException | RuntimeRefusedException e) {
      LOG.warn("networks: {}", e.getMessage());
      return false;
    }
  }

  private synchronized void awaitWork() {
    try {
      while (!restored || (leaving.isEmpty() && ready.size() >= ahead)) {
        ending.check();
        wait();
      }
      for (long rest = rest(); rest > 0; rest = rest()) {
        ending.check();
        wait(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PreemptedException(Preemption.Cause.SHUTDOWN);
    }
    ending.check();
  }

  /** Milliseconds in which a sandbox may still be starting that should have the machine. */
  private long rest() {
    boolean needed = 2 * ready.size() <= ahead;
    return needed ? 0 : START.toMillis() - (System.nanoTime() - lastTaken) / 1_000_000;
  }

  /** Makes one, if one is missing; false when it can't for want of an address. */
  private boolean open() {
    Optional<Ipv4> next;
    synchronized (this) {
      if (ready.size() >= ahead) {
        return true;
      }
      next = addresses.take(MAKING);
      next.ifPresent(address -> addresses.pass(MAKING, own(address)));
    }
    next.ifPresent(this::open);
    return next.isPresent();
  }

  private void open(Ipv4 address) {
    boolean made = false;
    try {
      clean(address);
      runtime.openNetwork(address.toString());
      made = true;
    } finally {
      synchronized (this) {
        (made ? ready : leaving).add(address);
      }
    }
  }

  /** Removes one that nobody needs any more, if there is one. */
  private boolean close() {
    Optional<Ipv4> next;
    synchronized (this) {
      next = Optional.ofNullable(leaving.poll());
    }
    next.ifPresent(this::close);
    return true;
  }

  private void close(Ipv4 address) {
    boolean gone = false;
    try {
      runtime.closeNetwork(address.toString());
      gone = true;
    } finally {
      synchronized (this) {
        if (gone) {
          addresses.release(own(address));
        } else {
          leaving.add(address); // behind those that may go
        }
      }
    }
  }
}
