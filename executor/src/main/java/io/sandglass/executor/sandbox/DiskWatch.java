package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerRuntime;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the processes of sandboxes that have written more than their share of the disk. Common
 * storage drivers have no quota of their own (overlay2 only on xfs with project quotas), so it
 * looks now and then: what is written between two looks comes on top.
 */
public final class DiskWatch {
  private static final Logger LOG = LoggerFactory.getLogger(DiskWatch.class);

  private final ContainerRuntime runtime;
  private final LifeDirectories directories;
  private final Residents residents;
  private final long mostBytes;
  private final Duration every;
  private Optional<Thread> thread = Optional.empty();

  /**
   * @param mostBytes that a sandbox may have written over its image; 0 is any number
   * @param every between two looks
   */
  public DiskWatch(
      ContainerRuntime runtime,
      LifeDirectories directories,
      Residents residents,
      long mostBytes,
      Duration every) {
    this.runtime = runtime;
    this.directories = directories;
    this.residents = residents;
    this.mostBytes = mostBytes;
    this.every = every;
  }

  public void start() {
    if (mostBytes > 0) {
      thread = Optional.of(Thread.ofVirtual().name("disk-watch").start(this::loop));
    }
  }

  public void stop() {
    thread.ifPresent(Thread::interrupt);
  }

  private void loop() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(every);
        look();
      }
    } catch (InterruptedException e) {
      LOG.debug("The disk watch ends");
    }
  }

  private void look() {
    for (Resident resident : residents.all()) {
      if (resident.phase() == Resident.Phase.RUNNING) {
        try {
          look(resident);
        } catch (RuntimeException e) {
          LOG.warn("disk of {} can't be watched: {}", resident.life(), e.getMessage());
        }
      }
    }
  }

  private void look(Resident resident) {
    OptionalLong bytes = runtime.diskBytes(resident.life());
    if (bytes.isPresent() && bytes.getAsLong() > mostBytes) {
      String why =
          "its processes were ended for writing %d bytes to disk, more than its %d"
              .formatted(bytes.getAsLong(), mostBytes);
      LOG.warn("sandbox={} {}", resident.life().sandboxId(), why);
      directories.noteEnding(resident.life(), why);
      runtime.stop(resident.life(), Duration.ZERO); // the relist tells the log
    }
  }
}
