package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.GuestChannels;
import io.sandglass.executor.runtime.ContainerRuntime;
import java.time.InstantSource;

/** Puts the parts of this package together. */
public final class Node {
  private final Lanes lanes;
  private final Relist relist;

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
    this.lanes = new Lanes(new OrderWork(holdings, settings, delivery, reconciliation));
    this.relist = new Relist(holdings, reconciliation, lanes, rhythm, clock);
  }

  public Lanes lanes() {
    return lanes;
  }

  public Relist relist() {
    return relist;
  }
}
