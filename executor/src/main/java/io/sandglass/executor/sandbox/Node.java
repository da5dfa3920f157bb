package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.GuestChannels;
import io.sandglass.executor.runtime.ContainerRuntime;
import java.time.InstantSource;

/** Puts the parts of this package together. */
public final class Node {
  private final Lanes lanes;
  private final Relist relist;
  private final WarmPool pool;

  public Node(
      ContainerRuntime runtime,
      LifeDirectories directories,
      GuestChannels channels,
      Residents residents,
      EgressControl egress,
      Reports reports,
      NodeSettings settings,
      Relist.Rhythm rhythm,
      InstantSource clock,
      Detached detached) {
    Holdings holdings = new Holdings(runtime, directories, channels, residents, egress);
    Delivery delivery = new Delivery(reports);
    Reconciliation reconciliation =
        new Reconciliation(holdings, settings.backoff(), delivery, clock, detached);
    Creators creators = new Creators(settings.creators());
    this.pool = new WarmPool(holdings, settings, creators, clock);
    Starting starting = new Starting(holdings, settings, creators, pool);
    this.lanes = new Lanes(new OrderWork(holdings, settings, delivery, reconciliation, starting));
    this.relist = new Relist(holdings, reconciliation, lanes, pool, rhythm, clock);
  }

  public Lanes lanes() {
    return lanes;
  }

  public Relist relist() {
    return relist;
  }

  public WarmPool pool() {
    return pool;
  }
}
