package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the processes of sandboxes that have written more than their share of the disk, in bytes or
 * in files. Common storage drivers have no quota of their own (overlay2 only on xfs with project
 * quotas), so it looks now and then: what is written between two looks comes on top.
 *
 * <p>To look at a sandbox is to walk its files. It is spared that while it can't be over its share:
 * it has written no more since it was last looked at than the whole file system has grown. See ADR
 * 28.
 */
public final class DiskWatch {
  private static final Logger LOG = LoggerFactory.getLogger(DiskWatch.class);

  /**
   * What some sandboxes delete hides what others write, up to as much; so nobody is left alone for
   * longer.
   */
  private static final int MOST_ROUNDS_UNSEEN = 12;

  private final ContainerRuntime runtime;
  private final LifeDirectories directories;
  private final Residents residents;
  private final DiskUse most;
  private final Duration longestUnseen;
  private final InstantSource clock;
  private final Rounds rounds;

  /** What a sandbox had written when it was looked at, and all that had been written by then. */
  private record Sighting(DiskUse use, DiskUse grown, long millis) {}

  private final Map<Life, Sighting> sightings = new HashMap<>();

  /** How often in a row it could not be counted. */
  private final Map<Life, Integer> evasions = new HashMap<>();

  private Optional<DiskUse> stored = Optional.empty();
  private DiskUse grown = DiskUse.NOTHING;

  /**
   * @param most that a sandbox may have written over its image; 0 is any number
   * @param every between two looks
   */
  public DiskWatch(
      ContainerRuntime runtime,
      LifeDirectories directories,
      Residents residents,
      DiskUse most,
      Duration every,
      InstantSource clock) {
    this.runtime = runtime;
    this.directories = directories;
    this.residents = residents;
    this.most = most;
    this.longestUnseen = every.multipliedBy(MOST_ROUNDS_UNSEEN);
    this.clock = clock;
    this.rounds = new Rounds("disk-watch", every, this::look);
  }

  public void start() {
    if (!most.equals(DiskUse.NOTHING)) {
      rounds.start();
    }
  }

  public void stop() {
    rounds.stop();
  }

  void look(Preemption ending) {
    boolean measured = measure();
    Set<Life> running =
        residents.all().stream()
            .filter(resident -> resident.phase() == Resident.Phase.RUNNING)
            .map(Resident::life)
            .collect(Collectors.toSet());
    sightings.keySet().retainAll(running);
    evasions.keySet().retainAll(running);
    for (Life life : running) {
      ending.check();
      if (!measured || mayBeOver(life)) {
        try {
          look(life);
        } catch (RuntimeException e) {
          LOG.warn("disk of {} can't be watched: {}", life, e.getMessage());
        }
      }
    }
  }

  /** Adds up by how much the file system grows; false when that can't be told. */
  private boolean measure() {
    Optional<DiskUse> now = runtime.storage();
    if (now.isPresent() && stored.isPresent()) {
      grown = grown.plus(now.get().since(stored.get()));
    }
    boolean measured = now.isPresent() && stored.isPresent();
    stored = now;
    return measured;
  }

  private boolean mayBeOver(Life life) {
    Sighting last = sightings.get(life);
    return last == null
        || clock.millis() - last.millis() >= longestUnseen.toMillis()
        || excess(last.use().plus(grown.since(last.grown()))).isPresent();
  }

  private void look(Life life) {
    DiskUse before = grown; // what is written during the walk counts as written after it
    Optional<DiskUse> use;
    try {
      use = runtime.disk(life);
    } catch (RuntimeRefusedException e) {
      LOG.warn("sandbox={} disk=unknown {}", life.sandboxId(), e.getMessage());
      if (evasions.merge(life, 1, Integer::sum) >= MOST_ROUNDS_UNSEEN) {
        end(life, "keeping its files from being counted");
      }
      return;
    }
    evasions.remove(life);
    use.ifPresent(found -> sightings.put(life, new Sighting(found, before, clock.millis())));
    use.flatMap(this::excess).ifPresent(excess -> end(life, excess));
  }

  private void end(Life life, String cause) {
    String why = "its processes were ended for " + cause;
    LOG.warn("sandbox={} {}", life.sandboxId(), why);
    directories.noteEnding(life, why);
    runtime.stop(life, Duration.ZERO); // the relist tells the log
  }

  private Optional<String> excess(DiskUse use) {
    if (most.bytes() > 0 && use.bytes() > most.bytes()) {
      return Optional.of(
          "writing %d bytes to disk, more than its %d".formatted(use.bytes(), most.bytes()));
    }
    if (most.files() > 0 && use.files() > most.files()) {
      return Optional.of("making %d files, more than its %d".formatted(use.files(), most.files()));
    }
    return Optional.empty();
  }
}
