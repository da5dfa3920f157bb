package io.sandglass.executor.sandbox;

import com.codahale.metrics.Timer;
import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Creation;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import io.sandglass.executor.sandbox.Preemption.PreemptedException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps containers ready whose guests answer, so that a sandbox need not wait for one. A spare has
 * an address without a policy, and so reaches nothing.
 *
 * <p>A claim is a rename: the container's name is its identity, and it is asked for by its old one,
 * so it becomes one sandbox's or another's and never two's, whoever is killed at whatever point.
 * All else that a claim changes is done again when its order is delivered again.
 *
 * <p>Spares give way: they are made in room that no sandbox takes, and go when one needs it.
 */
public final class WarmPool {
  private static final Logger LOG = LoggerFactory.getLogger(WarmPool.class);
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(1);

  /** A claim and the first command after it have the machine for so long. */
  private static final Duration FIRST_USE = Duration.ofMillis(250);

  private final Holdings holdings;
  private final NodeSettings settings;
  private final Creators creators;
  private final InstantSource clock;
  private final Backoff backoff = new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(1));
  private final Preemption ending = new Preemption();
  private final Timer claims = new Timer();

  private Optional<Map<String, Integer>> wanted = Optional.empty();
  private final Map<Life, Spare> ready = new LinkedHashMap<>();

  /** What is being made, or looked at that an earlier process has made: for which image. */
  private final Map<Life, String> making = new HashMap<>();

  private final Set<Life> claiming = new HashSet<>();
  private final Set<Life> removing = new HashSet<>();

  /** All that this process has had to do with and that there may still be something of. */
  private final Set<Life> known = new HashSet<>();

  private Map<String, String> imageIds = Map.of();
  private final Map<String, Long> hits = new HashMap<>();
  private final Map<String, Long> misses = new HashMap<>();
  private final Map<String, Integer> failures = new HashMap<>();
  private final Map<String, Instant> restsUntil = new HashMap<>();
  private long lastClaim = System.nanoTime() - FIRST_USE.toNanos();
  private boolean closed;

  WarmPool(Holdings holdings, NodeSettings settings, Creators creators, InstantSource clock) {
    this.holdings = holdings;
    this.settings = settings;
    this.creators = creators;
    this.clock = clock;
  }

  /**
   * How many to keep ready, by image. Before it is told, the pool leaves alone what it finds.
   *
   * @param byImage a reference without a tag means {@code latest}
   */
  public void keep(Map<String, Integer> byImage) {
    Map<String, Integer> tagged = new TreeMap<>();
    byImage.forEach((image, count) -> tagged.merge(tagged(image), count, Integer::sum));
    tagged.values().removeIf(count -> count <= 0);
    synchronized (this) {
      if (wanted.equals(Optional.of(tagged))) {
        return;
      }
      wanted = Optional.of(tagged);
      failures.clear();
      restsUntil.clear();
    }
    LOG.info("pool={}", tagged);
  }

  private static String tagged(String image) {
    return image.lastIndexOf(':') > image.lastIndexOf('/') ? image : image + ":latest";
  }

  /**
   * Makes a spare's container a sandbox's; the resident's, for whom everything else is prepared.
   * Empty when there is none that is ready: then one has to be made.
   *
   * @param setAside run when a spare that answers is out of everybody else's reach
   */
  Optional<FoundContainer> claim(String image, Resident resident, Runnable setAside) {
    for (Optional<Spare> next = take(image); next.isPresent(); next = take(image)) {
      Spare spare = next.get();
      try {
        if (answers(spare)) {
          setAside.run();
          if (rename(spare, resident)) {
            return Optional.of(claimed(spare.container(), resident.life()));
          }
        }
        spare.resident().disconnect();
      } catch (RuntimeException e) {
        // Whose it is now, its name says; it is nobody's from our shelf.
        spare.resident().disconnect();
        throw e;
      } finally {
        synchronized (this) {
          claiming.remove(spare.life());
        }
      }
    }
    return Optional.empty();
  }

  /** A sandbox has found none. */
  synchronized void missed(String image) {
    if (wanted(image) > 0) {
      misses.merge(image, 1L, Long::sum);
    }
  }

  synchronized boolean hasReady(String image) {
    return readyOf(image) > 0;
  }

  private synchronized Optional<Spare> take(String image) {
    Optional<Spare> spare =
        ready.values().stream().filter(one -> one.image().equals(image)).findFirst();
    spare.map(Spare::life).ifPresent(ready::remove);
    spare.map(Spare::life).ifPresent(claiming::add);
    lastClaim = System.nanoTime();
    return spare;
  }

  /** False when it is not ours any more; the next look removes what is left of it. */
  private boolean rename(Spare spare, Resident resident) {
    if (holdings.runtime.rename(spare.life(), resident.life()) == Change.MISSING) {
      LOG.warn("spare={} is not there any more", spare.life());
      return false;
    }
    holdings.egress.pass(spare.life(), resident.life());
    resident.takeOver(spare.resident());
    return true;
  }

  /** False when it is no good; the next look removes it. */
  private static boolean answers(Spare spare) {
    try {
      Optional<GuestChannel> channel = spare.resident().channel();
      if (channel.isPresent() && channel.get().answers(ANSWER_WITHIN)) {
        return true;
      }
      LOG.warn("spare={} does not answer", spare.life());
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static FoundContainer claimed(FoundContainer spare, Life life) {
    return new FoundContainer(
        life,
        spare.origin(),
        spare.orgId(),
        spare.limits(),
        spare.containerId(),
        spare.imageId(),
        spare.address(),
        spare.phase(),
        spare.exit());
  }

  private int wanted(String image) {
    return wanted.map(images -> images.getOrDefault(image, 0)).orElse(0);
  }

  /** A sandbox has started in a spare. */
  synchronized void claimed(String image, Duration took) {
    claims.update(took);
    hits.merge(image, 1L, Long::sum);
  }

  /**
   * What this process does not work on, to be asked for before the list that {@link #look} is
   * given: only what is old can be missing in it.
   *
   * @param idle directories of spares that are not ready, and not under way
   */
  record Before(Set<Life> idle, Set<Life> ready) {}

  Before before() {
    Set<Life> idle = new HashSet<>(holdings.directories.spares());
    synchronized (this) {
      idle.removeAll(ready.keySet());
      idle.removeAll(making.keySet());
      idle.removeAll(removing);
      return new Before(idle, Set.copyOf(ready.keySet()));
    }
  }

  /** Compares what is there with what is to be kept ready. */
  void look(Before before, List<FoundContainer> found) {
    forget(before.idle(), found);
    Map<String, String> ids = new HashMap<>();
    for (String image : images()) {
      holdings.runtime.imageId(image).ifPresent(id -> ids.put(image, id));
    }
    synchronized (this) {
      if (wanted.isEmpty() || closed) {
        return;
      }
      imageIds = ids;
      removeBad(before.ready(), found);
      settleUnknown(found);
    }
    adjust();
  }

  private synchronized Set<String> images() {
    return wanted.map(Map::keySet).orElse(Set.of());
  }

  /** Deletes the directories that no container sees any more. */
  private void forget(Set<Life> idle, List<FoundContainer> found) {
    Set<Life> origins = found.stream().map(FoundContainer::origin).collect(Collectors.toSet());
    for (Life life : idle) {
      if (!origins.contains(life)) {
        holdings.directories.delete(life);
        synchronized (this) {
          known.remove(life);
        }
      }
    }
  }

  private void removeBad(Set<Life> old, List<FoundContainer> found) {
    Set<Life> running =
        found.stream()
            .filter(container -> container.phase() == FoundContainer.Phase.RUNNING)
            .map(FoundContainer::life)
            .collect(Collectors.toSet());
    for (Spare spare : List.copyOf(ready.values())) {
      boolean gone = old.contains(spare.life()) && !running.contains(spare.life());
      if (gone || !spare.container().imageId().equals(imageIds.get(spare.image()))) {
        remove(spare);
      }
    }
  }

  /** Those of an earlier process are taken up when they are of use. */
  private void settleUnknown(List<FoundContainer> found) {
    for (FoundContainer container : found) {
      Life life = container.life();
      if (!life.isSpare() || isUnderWay(life)) {
        continue;
      }
      Optional<String> image = known.contains(life) ? Optional.empty() : use(container);
      if (image.isPresent()) {
        begin(life, image.get(), resident -> holdings.connect(resident));
      } else if (container.phase() != FoundContainer.Phase.REMOVING) {
        remove(life);
      }
    }
  }

  private boolean isUnderWay(Life life) {
    return ready.containsKey(life)
        || making.containsKey(life)
        || claiming.contains(life)
        || removing.contains(life);
  }

  /** The image that a container can be kept ready for. */
  private Optional<String> use(FoundContainer container) {
    return container.phase() != FoundContainer.Phase.RUNNING
        ? Optional.empty()
        : imageIds.entrySet().stream()
            .filter(image -> image.getValue().equals(container.imageId()))
            .map(Map.Entry::getKey)
            .filter(image -> count(image) < wanted(image))
            .findFirst();
  }

  private int count(String image) {
    return readyOf(image) + startingOf(image);
  }

  private int readyOf(String image) {
    return (int) ready.values().stream().filter(spare -> spare.image().equals(image)).count();
  }

  private int startingOf(String image) {
    return (int) making.values().stream().filter(image::equals).count();
  }

  /** Lets go of what is not wanted any more, and of what others need the room of. */
  synchronized void giveWay() {
    for (Spare spare : List.copyOf(ready.values())) {
      if (count(spare.image()) > wanted(spare.image())
          || !settings.capacity().holds(taken(making.size() + ready.size()))) {
        remove(spare);
      }
    }
  }

  /** Has as many as are wanted and as there is room for, in the end. */
  synchronized void adjust() {
    if (closed) {
      return;
    }
    giveWay();
    for (String image : imageIds.keySet()) {
      while (count(image) < wanted(image)
          && !clock.instant().isBefore(restsUntil.getOrDefault(image, Instant.MIN))
          && settings.capacity().holds(taken(making.size() + ready.size() + 1))) {
        Life life = Life.spare(UUID.randomUUID().toString().replace("-", "").substring(0, 12));
        begin(life, image, resident -> make(resident, image));
      }
    }
  }

  /** By the sandboxes and so many spares, which need no CPU. */
  private Capacity taken(int spares) {
    return holdings.residents.used().plus(0, spares * settings.spare().memoryBytes(), spares);
  }

  private void begin(Life life, String image, Consumer<Resident> work) {
    known.add(life);
    making.put(life, image);
    Thread.ofVirtual().name(life.containerName()).start(() -> bring(life, image, work));
  }

  private void bring(Life life, String image, Consumer<Resident> work) {
    long begun = System.nanoTime();
    Resident resident = new Resident(life, "", settings.spare(), Resident.Phase.STARTING);
    Optional<Spare> made = Optional.empty();
    try {
      work.accept(resident);
      if (!holdings.guestAnswers(resident, settings.guestPatience(), ending)) {
        throw new RuntimeUnavailableException("its guest does not answer", null);
      }
      made = holdings.runtime.find(life).map(found -> new Spare(image, resident, found));
      LOG.info(
          "spare={} image={} ready_ms={}",
          life.sandboxId(),
          image,
          Duration.ofNanos(System.nanoTime() - begun).toMillis());
    } catch (PreemptedException e) {
      LOG.debug("spare={} is left to the next process", life.sandboxId());
    } catch (RuntimeException e) {
      LOG.warn("spare={} image={} failed: {}", life.sandboxId(), image, e.getMessage());
    } finally {
      brought(life, image, resident, made);
    }
  }

  private synchronized void brought(
      Life life, String image, Resident resident, Optional<Spare> made) {
    making.remove(life);
    if (made.isPresent()) {
      ready.put(life, made.get());
      failures.remove(image);
      adjust();
    } else {
      resident.disconnect();
      int failed = failures.merge(image, 1, Integer::sum);
      restsUntil.put(image, clock.instant().plus(backoff.after(failed)));
      if (!closed) {
        remove(life);
      }
    }
    notifyAll();
  }

  private void make(Resident resident, String image) {
    Life life = resident.life();
    ending.pause(FIRST_USE.minusNanos(sinceLastClaim()));
    creators.enterLast(ending);
    try {
      Ipv4 address =
          holdings
              .egress
              .address(life)
              .orElseThrow(() -> new RuntimeUnavailableException("there is no free address", null));
      holdings.prepare(resident);
      ContainerSpec spec =
          new ContainerSpec(
              life,
              "",
              image,
              settings.spare(),
              address.toString(),
              holdings.directories.mount(life),
              holdings.channels.token(life));
      if (!(holdings.runtime.create(spec) instanceof Creation.Created)
          || holdings.runtime.start(life) == Change.MISSING) {
        throw new RuntimeUnavailableException("it can't be made of this image", null);
      }
    } finally {
      creators.leave();
    }
  }

  private synchronized long sinceLastClaim() {
    return System.nanoTime() - lastClaim;
  }

  private void remove(Spare spare) {
    ready.remove(spare.life());
    spare.resident().disconnect();
    remove(spare.life());
  }

  /**
   * Asks for it by its name, so nothing happens to one that a sandbox has claimed. Its directory
   * stays until no container sees it.
   */
  private void remove(Life life) {
    if (closed || !removing.add(life)) {
      return;
    }
    Thread.ofVirtual()
        .name("remove-" + life.containerName())
        .start(
            () -> {
              try {
                holdings.runtime.remove(life);
                holdings.egress.tearDown(life);
                LOG.info("spare={} removed", life.sandboxId());
              } catch (RuntimeException e) {
                LOG.warn("spare={} is not removed yet: {}", life.sandboxId(), e.getMessage());
              } finally {
                removed(life);
              }
            });
  }

  private synchronized void removed(Life life) {
    removing.remove(life);
    notifyAll();
  }

  /** Ends what is under way; what is ready stays for the next process. */
  public synchronized void close() throws InterruptedException {
    closed = true;
    ending.fire(Preemption.Cause.SHUTDOWN);
    while (!making.isEmpty() || !removing.isEmpty()) {
      wait();
    }
    ready.values().forEach(spare -> spare.resident().disconnect());
  }

  /** What there is now, by image: of those that are kept, or were and have something left. */
  public synchronized Map<String, Stock> stock() {
    Set<String> images = new TreeSet<>(images());
    ready.values().forEach(spare -> images.add(spare.image()));
    images.addAll(making.values());
    Map<String, Stock> stock = new TreeMap<>();
    for (String image : images) {
      stock.put(
          image,
          new Stock(
              wanted(image),
              readyOf(image),
              startingOf(image),
              hits.getOrDefault(image, 0L),
              misses.getOrDefault(image, 0L)));
    }
    return stock;
  }

  /** Until the container is the sandbox's and walled, of all that were started in a spare. */
  public Timer claims() {
    return claims;
  }

  /** Sandboxes of images that are kept ready, for which none was. */
  public synchronized long misses() {
    return misses.values().stream().mapToLong(Long::longValue).sum();
  }
}
