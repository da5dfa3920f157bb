package io.sandglass.executor.sandbox;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for the memory of frozen sandboxes back when the node runs short of it, of those first that
 * have slept longest. It only asks: stopping them is the log's to decide, and so in their history.
 */
public final class MemoryWatch {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryWatch.class);

  private final Residents residents;
  private final LongSupplier missingBytes;
  private final Delivery delivery;
  private final InstantSource clock;
  private final Rounds rounds;

  /**
   * @param missingBytes how much more should be free; not positive when there is enough
   * @param every between two looks
   */
  public MemoryWatch(
      Residents residents,
      LongSupplier missingBytes,
      Reports reports,
      Duration every,
      InstantSource clock) {
    this.residents = residents;
    this.missingBytes = missingBytes;
    this.delivery = new Delivery(reports);
    this.clock = clock;
    this.rounds = new Rounds("memory-watch", every, this::look);
  }

  public void start() {
    rounds.start();
  }

  public void stop() {
    rounds.stop();
  }

  void look(Preemption ending) {
    long missing = missingBytes.getAsLong();
    if (missing <= 0) {
      return;
    }
    for (Resident resident : longestFrozenFirst()) {
      LOG.info("sandbox={} memory_missing={} asks back", resident.life().sandboxId(), missing);
      var subject = new Order.Subject(resident.life(), resident.orgId(), 0, Optional.empty());
      var wanted = new Report.MemoryWanted(Long.toString(clock.millis(), 36));
      delivery.deliver(new Report(subject, wanted), ending);
      missing -= resident.limits().memoryBytes();
      if (missing <= 0) {
        return;
      }
    }
  }

  private record Frozen(Resident resident, long since) {}

  private List<Resident> longestFrozenFirst() {
    long now = System.nanoTime();
    return residents.all().stream()
        .filter(resident -> resident.phase() == Resident.Phase.FROZEN)
        .map(resident -> new Frozen(resident, resident.since()))
        .sorted(Comparator.comparingLong(frozen -> frozen.since() - now))
        .map(Frozen::resident)
        .toList();
  }
}
