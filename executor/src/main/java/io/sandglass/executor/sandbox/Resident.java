package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * One sandbox that this node holds. Its lane alone moves it from phase to phase; executions only
 * come and go, and only while it runs.
 */
public final class Resident {

  /** What the sandbox is doing, as far as this process knows. */
  public enum Phase {
    /** Its directory was found; its container has not been looked for. */
    UNVERIFIED,
    /** Room is reserved; its container may be there, its guest has not answered. */
    STARTING,
    RUNNING,
    /** Runs, but takes no more executions: it is about to be suspended. */
    SUSPENDING,
    FROZEN,
    /** Its processes have ended, and the log knows. */
    STOPPED
  }

  /** Why an execution can't begin. */
  public enum Denial {
    NOT_RUNNING,
    GUEST_UNREACHABLE,
    TOO_MANY
  }

  private final Life life;
  private final String orgId;
  private final Limits limits;
  private Life origin;
  private Phase phase;
  private long since = System.nanoTime();
  private Optional<GuestChannel> channel = Optional.empty();
  private int executions;
  private long lastResume;
  private boolean ahead;
  private boolean left;

  Resident(Life life, String orgId, Limits limits, Phase phase) {
    this.life = life;
    this.orgId = orgId;
    this.limits = limits;
    this.origin = life;
    this.phase = phase;
  }

  public Life life() {
    return life;
  }

  public String orgId() {
    return orgId;
  }

  Limits limits() {
    return limits;
  }

  /** Whose directory and token its container was made with. */
  synchronized Life origin() {
    return origin;
  }

  synchronized void madeAs(Life life) {
    origin = life;
  }

  /**
   * Takes over a spare's container, which has just become this one's, with the way to its guest.
   */
  void takeOver(Resident spare) {
    disconnect(); // what an earlier attempt has left
    Optional<GuestChannel> taken;
    synchronized (spare) {
      taken = spare.channel;
      spare.channel = Optional.empty();
    }
    synchronized (this) {
      origin = spare.life;
      channel = taken;
    }
  }

  public synchronized Phase phase() {
    return phase;
  }

  synchronized void enter(Phase next) {
    phase = next;
    since = System.nanoTime();
    notifyAll();
  }

  /** Its container is set aside: it starts before its order is here. */
  synchronized void startAhead() {
    ahead = true;
  }

  synchronized boolean startsAhead() {
    return ahead;
  }

  /** An order to wake it has been carried out, as far as that was possible. */
  synchronized void triedToResume(long orderVersion) {
    lastResume = Math.max(lastResume, orderVersion);
    notifyAll();
  }

  /** This node does not hold it any more, or another life of it. */
  synchronized void leave() {
    left = true;
    notifyAll();
  }

  /**
   * Returns when it runs, or won't by that order.
   *
   * @param orderVersion of the order that wakes it, on which its lane may not have begun; 0 for
   *     none, when it may still be starting
   */
  void awaitRunning(long orderVersion, Duration atMost) throws InterruptedException {
    awaitWhile(() -> isOnItsWay(orderVersion), atMost);
  }

  private boolean isOnItsWay(long orderVersion) {
    boolean awaited = orderVersion == 0 ? phase == Phase.STARTING : lastResume < orderVersion;
    return awaited && phase != Phase.RUNNING && !left;
  }

  /** Since when it has been in its phase, by {@link System#nanoTime}. */
  synchronized long since() {
    return since;
  }

  /** Whether commands run in it, or may at any moment: they end with the way to its guest. */
  synchronized boolean isInUse() {
    return phase == Phase.RUNNING && channel.isPresent();
  }

  /** The way to its guest, while there is one. */
  public synchronized Optional<GuestChannel> channel() {
    return channel;
  }

  synchronized void connect(GuestChannel next) {
    channel = Optional.of(next);
  }

  /** Closes the way to the guest, and so ends what runs there on behalf of somebody. */
  void disconnect() {
    Optional<GuestChannel> closing;
    synchronized (this) {
      closing = channel;
      channel = Optional.empty();
      notifyAll();
    }
    closing.ifPresent(GuestChannel::close);
  }

  /** Returns when there is no way to its guest. */
  void awaitDisconnect(Duration atMost) throws InterruptedException {
    awaitWhile(() -> channel.isPresent(), atMost);
  }

  /** Looks again at every change. */
  private synchronized void awaitWhile(BooleanSupplier so, Duration atMost)
      throws InterruptedException {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (so.getAsBoolean()) {
      long nanos = deadline - System.nanoTime();
      if (nanos <= 0) {
        return;
      }
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    }
  }

  /** Counts an execution in; empty when it may begin. */
  public synchronized Optional<Denial> enterExecution(int most) {
    if (phase != Phase.RUNNING) {
      return Optional.of(Denial.NOT_RUNNING);
    }
    if (channel.isEmpty()) {
      return Optional.of(Denial.GUEST_UNREACHABLE);
    }
    if (executions >= most) {
      return Optional.of(Denial.TOO_MANY);
    }
    executions++;
    return Optional.empty();
  }

  /** Counts one in that has never stopped, whatever the phase. */
  synchronized void resumeExecution() {
    executions++;
  }

  public synchronized void leaveExecution() {
    executions--;
  }

  /** Closes the door to new executions; false when there are some inside. */
  synchronized boolean beginSuspending() {
    if (phase == Phase.RUNNING && executions > 0) {
      return false;
    }
    if (phase == Phase.RUNNING) {
      phase = Phase.SUSPENDING;
    }
    return true;
  }

  /** Its share of the node: a frozen one needs no CPU, a stopped one no memory either. */
  synchronized Capacity share() {
    return switch (phase) {
      case UNVERIFIED, STOPPED -> new Capacity(0, 0, 1);
      case FROZEN -> new Capacity(0, limits.memoryBytes(), 1);
      case STARTING, RUNNING, SUSPENDING ->
          new Capacity(limits.cpuMillis(), limits.memoryBytes(), 1);
    };
  }
}
