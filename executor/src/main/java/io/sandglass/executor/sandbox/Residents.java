package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The sandboxes that this node holds, one life of each. */
public final class Residents {
  private final Map<String, Resident> bySandbox = new HashMap<>();

  public synchronized Optional<Resident> get(String sandboxId) {
    return Optional.ofNullable(bySandbox.get(sandboxId));
  }

  /** Empty also when another life of the sandbox is here. */
  Optional<Resident> get(Life life) {
    return get(life.sandboxId()).filter(resident -> resident.life().equals(life));
  }

  public synchronized List<Resident> all() {
    return List.copyOf(bySandbox.values());
  }

  synchronized void put(Resident resident) {
    Resident before = bySandbox.put(resident.life().sandboxId(), resident);
    if (before != null && before != resident) {
      before.leave();
    }
  }

  /** Does nothing when another life of the sandbox is here. */
  synchronized void remove(Life life) {
    Resident there = bySandbox.get(life.sandboxId());
    if (there != null && there.life().equals(life)) {
      bySandbox.remove(life.sandboxId());
      there.leave();
    }
  }

  /** What came of asking for room. */
  sealed interface Reservation {
    record Reserved(Resident resident) implements Reservation {}

    record Full(String detail) implements Reservation {}
  }

  /** Takes room for a sandbox that is about to start. */
  synchronized Reservation reserve(Life life, String orgId, Limits limits, Capacity capacity) {
    Optional<String> refusal = capacity.refusal(used(), limits);
    if (refusal.isPresent()) {
      return new Reservation.Full(refusal.get());
    }
    Resident resident = new Resident(life, orgId, limits, Resident.Phase.STARTING);
    put(resident);
    return new Reservation.Reserved(resident);
  }

  /** What all of them take together. */
  public synchronized Capacity used() {
    Capacity used = Capacity.NOTHING;
    for (Resident resident : bySandbox.values()) {
      Capacity share = resident.share();
      used = used.plus(share.cpuMillis(), share.memoryBytes(), share.sandboxes());
    }
    return used;
  }

  /** Lets go of all guests; their sandboxes live on, and what runs for a caller ends. */
  public void disconnectAll() {
    all().forEach(Resident::disconnect);
  }
}
