package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.execution.GuestChannels;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that a node holds of its sandboxes: containers, directories, guests, and what it knows of
 * them; with the steps that the work on orders and the relist share.
 */
final class Holdings {
  private static final Logger LOG = LoggerFactory.getLogger(Holdings.class);
  private static final Duration GLANCE = Duration.ofMillis(200);

  final ContainerRuntime runtime;
  final LifeDirectories directories;
  final GuestChannels channels;
  final Residents residents;
  final EgressControl egress;

  Holdings(
      ContainerRuntime runtime,
      LifeDirectories directories,
      GuestChannels channels,
      Residents residents,
      EgressControl egress) {
    this.runtime = runtime;
    this.directories = directories;
    this.channels = channels;
    this.residents = residents;
    this.egress = egress;
  }

  /** Makes all that a container's guest needs, and listens for it. */
  void prepare(Resident resident) {
    try {
      channels.install(directories.prepareMount(resident.origin()));
    } catch (IOException e) {
      throw new UncheckedIOException("The guest of " + resident.life() + " can't be installed", e);
    }
    connect(resident);
  }

  /** Listens for the resident's guest anew. */
  void connect(Resident resident) {
    resident.disconnect();
    Life life = resident.life();
    Life origin = resident.origin();
    if (!directories.hasMount(origin)) {
      LOG.warn("life={} has lost its directory: its guest can't be reached", life);
      return;
    }
    try {
      resident.connect(channels.open(directories.mount(origin), origin));
    } catch (IOException e) {
      throw new UncheckedIOException("The guest of " + life + " can't be listened for", e);
    }
  }

  /** Waits for the guest; false when it does not answer in time. */
  boolean guestAnswers(Resident resident, Duration patience, Preemption preemption) {
    Optional<GuestChannel> channel = resident.channel();
    if (channel.isEmpty()) {
      return false;
    }
    long deadline = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() < deadline) {
      preemption.check();
      try {
        if (channel.get().awaitReady(GLANCE)) {
          return true;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Preemption.PreemptedException(Preemption.Cause.SHUTDOWN);
      }
    }
    return false;
  }

  /** Leaves nothing of a life. */
  void clear(Life life) {
    residents.get(life).ifPresent(Resident::disconnect);
    runtime.remove(life);
    egress.tearDown(life);
    directories.delete(life);
    residents.remove(life);
  }
}
