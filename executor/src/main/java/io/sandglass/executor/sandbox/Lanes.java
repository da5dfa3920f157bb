package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Preemption.Cause;
import io.sandglass.executor.sandbox.Preemption.PreemptedException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One lane per sandbox: what concerns one sandbox happens one after the other, what concerns
 * different ones side by side, each lane on a virtual thread that lives as long as it has work.
 */
public final class Lanes {
  private static final Logger LOG = LoggerFactory.getLogger(Lanes.class);

  /** What a lane does. */
  interface Work {
    void carryOut(Order order, Preemption preemption);

    /**
     * Starts a sandbox in a spare, before its order is here.
     *
     * @param setAside run as soon as one is its own
     */
    void startAhead(Order.Start ahead, Runnable setAside, Preemption preemption);

    /**
     * Wakes a frozen sandbox, before its order is here.
     *
     * @param awake run when it is awake
     */
    void thaw(Life life, Runnable awake, Preemption preemption);

    /** Compares what is known of a sandbox with what is there. */
    void reconcile(String sandboxId, boolean ask, Preemption preemption);
  }

  /**
   * @param order empty for what no order asks for
   * @param done told when the log may forget the order
   */
  private record Item(
      Optional<Order> order, Consumer<Preemption> task, Runnable done, Preemption preemption) {

    Item(Optional<Order> order, Consumer<Preemption> task, Runnable done) {
      this(order, task, done, new Preemption());
    }
  }

  private static final class Lane {
    private final Deque<Item> waiting = new ArrayDeque<>();
    private Optional<Item> current = Optional.empty();
  }

  private final Work work;
  private final Map<String, Lane> lanes = new HashMap<>();
  private boolean closed;

  public Lanes(Work work) {
    this.work = work;
  }

  /**
   * Lines an order up behind the earlier ones for its sandbox, and ends those that it makes
   * pointless.
   *
   * @param done called once, when the order was carried out, its report delivered, or it was made
   *     pointless; never when the executor shuts down before
   */
  public void submit(Order order, Runnable done) {
    List<Item> pointless = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      String sandbox = order.life().sandboxId();
      Lane existing = lanes.get(sandbox);
      if (existing != null) {
        Iterator<Item> items = existing.waiting.iterator();
        while (items.hasNext()) {
          Item item = items.next();
          if (item.order.filter(order::supersedes).isPresent()) {
            items.remove();
            pointless.add(item);
          }
        }
        existing
            .current
            .filter(item -> item.order.filter(order::supersedes).isPresent())
            .ifPresent(item -> item.preemption.fire(Cause.SUPERSEDED));
      }
      enqueue(
          sandbox,
          new Item(Optional.of(order), preemption -> work.carryOut(order, preemption), done));
    }
    pointless.forEach(item -> item.done.run());
  }

  /**
   * Has a sandbox started in a container that is ready, before its order is here.
   *
   * @param ahead what will be ordered
   * @return true as soon as a container is set aside for it, false when there is none; never
   *     completed when the executor shuts down before
   */
  public CompletableFuture<Boolean> startAhead(Order.Start ahead) {
    return ahead(
        ahead.life(),
        Optional.of(ahead),
        (setAside, preemption) -> work.startAhead(ahead, setAside, preemption));
  }

  /**
   * Has a frozen sandbox woken, before its order is here.
   *
   * @return true when it is awake, false when it sleeps deeper or is not here; never completed when
   *     the executor shuts down before
   */
  public CompletableFuture<Boolean> thaw(Life life) {
    return ahead(life, Optional.empty(), (awake, preemption) -> work.thaw(life, awake, preemption));
  }

  private synchronized CompletableFuture<Boolean> ahead(
      Life life, Optional<Order> ahead, BiConsumer<Runnable, Preemption> task) {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    if (!closed) {
      enqueue(
          life.sandboxId(),
          new Item(
              ahead,
              preemption -> task.accept(() -> answer.complete(true), preemption),
              () -> answer.complete(false)));
    }
    return answer;
  }

  /**
   * Has a sandbox reconciled, unless something of it is under way anyway.
   *
   * @param ask also ask the log whether it belongs here
   */
  synchronized void reconcile(String sandboxId, boolean ask) {
    if (!closed && (ask || !lanes.containsKey(sandboxId))) {
      enqueue(
          sandboxId,
          new Item(
              Optional.empty(),
              preemption -> work.reconcile(sandboxId, ask, preemption),
              () -> {}));
    }
  }

  private void enqueue(String sandbox, Item item) {
    Lane existing = lanes.get(sandbox);
    if (existing != null) {
      existing.waiting.add(item);
      return;
    }
    Lane lane = new Lane();
    lane.waiting.add(item);
    lanes.put(sandbox, lane);
    Thread.ofVirtual().name("lane-" + sandbox).start(() -> drive(sandbox, lane));
  }

  /** How many sandboxes something is under way of. */
  public synchronized int busy() {
    return lanes.size();
  }

  private void drive(String sandbox, Lane lane) {
    for (Optional<Item> item = next(sandbox, lane); item.isPresent(); item = next(sandbox, lane)) {
      run(sandbox, item.get());
    }
  }

  private synchronized Optional<Item> next(String sandbox, Lane lane) {
    lane.current = closed ? Optional.empty() : Optional.ofNullable(lane.waiting.poll());
    if (lane.current.isEmpty()) {
      lanes.remove(sandbox);
      notifyAll();
    }
    return lane.current;
  }

  private void run(String sandbox, Item item) {
    try {
      item.task.accept(item.preemption);
    } catch (PreemptedException e) {
      if (e.reason() == Cause.SHUTDOWN) {
        return;
      }
      LOG.info("sandbox={} order={} superseded", sandbox, item.order.map(Lanes::name).orElse("-"));
    } catch (RuntimeException e) {
      // A broken invariant. The next relist looks at the sandbox again and the engine's watchdog
      // repeats what it misses; holding the whole partition back would help nobody.
      LOG.error("sandbox={} order={} gave up", sandbox, item.order.map(Lanes::name).orElse("-"), e);
    }
    item.done.run();
  }

  static String name(Order order) {
    return order.getClass().getSimpleName();
  }

  /** Ends all work between two of its steps, and waits for that. */
  public synchronized void close() throws InterruptedException {
    closed = true;
    for (Lane lane : lanes.values()) {
      lane.current.ifPresent(item -> item.preemption.fire(Cause.SHUTDOWN));
    }
    while (!lanes.isEmpty()) {
      wait();
    }
  }
}
