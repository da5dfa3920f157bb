package io.sandglass.executor.network;

import java.util.Map;

/**
 * The packet filter between the sandboxes and everything else. An address that it was told nothing
 * about reaches nothing.
 *
 * <p>A change is in force when the call returns; after an exception it may or may not be. Each may
 * throw {@link io.sandglass.executor.runtime.RuntimeUnavailableException}.
 */
public interface Firewall {

  /** Puts everything in force in one step, and nothing else: what was there before is gone. */
  void establish(Map<Ipv4, Reach> all);

  /** Has an address reach this and no more. Connections that go beyond end, the others live on. */
  void admit(Ipv4 address, Reach reach);

  /** Has an address reach nothing, and forgets its connections. */
  void revoke(Ipv4 address);

  /** What is in force, as the kernel tells it. */
  Map<Ipv4, Reach> inForce();

  /**
   * Compares what is in force with what was asked for, and puts it right.
   *
   * @return whether somebody else had changed it
   */
  boolean reassert();
}
