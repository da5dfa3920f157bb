package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.execution.FakeGuests;
import io.sandglass.executor.execution.RecentExecutions;
import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.FakeFirewall;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FakeRuntime;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A node on fakes: what outlives a process (containers, directories, the log of orders, the
 * reports) and one process after the other that can be killed between any two effects.
 */
final class NodeScenario {
  static final Limits SMALL = new Limits(1000, 256L << 20);
  static final String IMAGE = "image:1";

  /** Networks that are kept ready. */
  static final int AHEAD = 2;

  final FakeRuntime runtime = new FakeRuntime(IMAGE);
  final FakeFirewall firewall = new FakeFirewall();
  final FakeReports reports = new FakeReports();
  final FakeGuests guests = new FakeGuests(runtime::isRunning);
  private final Path data;
  private final Capacity capacity;
  private final int startAttempts;
  private final List<Order> log = new ArrayList<>();
  private final Set<Integer> done = new LinkedHashSet<>();
  private Boot boot;
  private Map<String, Integer> warm = Map.of();
  private long version;
  private int underWay;

  /** One process of the executor. */
  static final class Boot {
    private final Residents residents = new Residents();
    private final Node node;
    private final Executions executions;
    private final Detached detached;
    private final LifeDirectories directories;
    private final Networks networks;
    private final EgressControl egress;
    private volatile boolean killed;

    private Boot(NodeScenario scenario) {
      try {
        this.directories = new LifeDirectories(scenario.data);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      this.networks =
          new Networks(
              mortal(scenario.runtime),
              scenario.firewall,
              new Addresses(
                  Range.network("10.208.0.0/22"), Duration.ofSeconds(30), InstantSource.system()),
              AHEAD);
      this.egress =
          new EgressControl(mortal(scenario.runtime), scenario.firewall, networks, directories);
      Reports reports =
          report -> killed ? new CompletableFuture<>() : scenario.reports.publish(report);
      this.executions =
          new Executions(
              residents,
              directories,
              reports,
              new RecentExecutions(Duration.ofMinutes(10), InstantSource.system()),
              new Executions.Limits(8, 1 << 20));
      this.detached =
          new Detached(
              executions, residents, directories, Duration.ofSeconds(5), InstantSource.system());
      this.node =
          new Node(
              mortal(scenario.runtime),
              directories,
              scenario.guests,
              residents,
              egress,
              reports,
              new NodeSettings(
                  "node-1",
                  scenario.capacity,
                  SMALL,
                  2,
                  scenario.startAttempts,
                  Duration.ofMillis(500),
                  Duration.ZERO,
                  Duration.ofMillis(1),
                  Duration.ofMillis(4)),
              new Relist.Rhythm(
                  Duration.ofMillis(10), Duration.ofMinutes(5), Duration.ofMinutes(5)),
              InstantSource.system(),
              detached);
      node.pool().keep(scenario.warm);
      networks.start();
    }

    /** The runtime as this process reaches it: not at all once it is killed. */
    private ContainerRuntime mortal(ContainerRuntime runtime) {
      return (ContainerRuntime)
          Proxy.newProxyInstance(
              ContainerRuntime.class.getClassLoader(),
              new Class<?>[] {ContainerRuntime.class},
              (proxy, method, arguments) -> {
                endIfKilled();
                try {
                  Object result = method.invoke(runtime, arguments);
                  endIfKilled();
                  return result;
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }

    private void endIfKilled() {
      if (killed) {
        throw new Preemption.PreemptedException(Preemption.Cause.SHUTDOWN);
      }
    }

    Networks networks() {
      return networks;
    }

    EgressControl egress() {
      return egress;
    }

    Executions executions() {
      return executions;
    }

    Detached detached() {
      return detached;
    }

    Residents residents() {
      return residents;
    }

    Node node() {
      return node;
    }

    LifeDirectories directories() {
      return directories;
    }
  }

  NodeScenario(Path data, Capacity capacity, int startAttempts) {
    this.data = data;
    this.capacity = capacity;
    this.startAttempts = startAttempts;
    this.boot = new Boot(this);
  }

  static NodeScenario roomy(Path data) {
    return new NodeScenario(data, new Capacity(1_000_000, 1L << 40, 1000), 3);
  }

  Boot process() {
    return boot;
  }

  /** Begins to look at what is there, as a process does when it starts. */
  NodeScenario relisting() throws Exception {
    boot.node.relist().start();
    boot.node.relist().first().get(30, TimeUnit.SECONDS);
    return this;
  }

  /** How many to keep ready of the image, from now on and by all processes that follow. */
  void keepReady(int count) {
    warm = Map.of(IMAGE, count);
    boot.node.pool().keep(warm);
  }

  /** Of the image. */
  Stock stock() {
    return boot.node.pool().stock().getOrDefault(IMAGE, new Stock(0, 0, 0, 0, 0));
  }

  int ready() {
    return stock().ready();
  }

  Order.Subject subject(Life life) {
    return new Order.Subject(life, "org_1", ++version, Optional.empty());
  }

  Order.Start start(Life life) {
    return new Order.Start(subject(life), IMAGE, SMALL, EgressPolicy.ALLOW_ALL);
  }

  /** Appends an order to the log and delivers it. */
  synchronized void order(Order order) {
    log.add(order);
    deliver(log.size() - 1);
  }

  private void deliver(int offset) {
    Boot recipient = boot;
    underWay++;
    recipient.node.lanes().submit(log.get(offset), () -> finish(offset, recipient));
  }

  private synchronized void finish(int offset, Boot recipient) {
    done.add(offset);
    if (recipient == boot) {
      underWay--;
    }
    notifyAll();
  }

  /** Appends an order and waits until the log may forget it. */
  void carryOut(Order order) throws InterruptedException {
    CountDownLatch finished = new CountDownLatch(1);
    boot.node.lanes().submit(order, finished::countDown);
    assertThat(finished.await(30, TimeUnit.SECONDS)).isTrue();
  }

  /** Delivers everything again from the first order on that is not done. */
  synchronized void redeliver() {
    int first = 0;
    while (done.contains(first)) {
      first++;
    }
    for (int offset = first; offset < log.size(); offset++) {
      deliver(offset);
    }
  }

  /** Lets the process do nothing more; {@link #reboot} has to follow. */
  void kill() {
    boot.killed = true;
  }

  /** Ends the process between two effects, and begins another one. */
  void reboot() throws InterruptedException {
    end();
    synchronized (this) {
      boot = new Boot(this);
      underWay = 0;
    }
  }

  /** Ends the process between two effects; nothing of it is at work any more. */
  void end() throws InterruptedException {
    boot.killed = true;
    boot.node.lanes().close();
    boot.node.pool().close();
    boot.networks.stop();
    boot.node.relist().stop();
    boot.executions.close();
  }

  synchronized void awaitAllDone() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (underWay > 0 || done.size() < log.size()) {
      long left = deadline - System.nanoTime();
      assertThat(left)
          .as("orders not done: %s of %s", log.size() - done.size(), log.size())
          .isPositive();
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  List<FoundContainer> containers(String sandbox) {
    return runtime.all().stream().filter(c -> c.life().sandboxId().equals(sandbox)).toList();
  }
}
