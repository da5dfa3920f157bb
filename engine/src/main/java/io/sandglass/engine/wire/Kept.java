package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.schemas.ChainHash;

/**
 * What the store keeps of a sandbox.
 *
 * @param chain the hash of its last event
 */
public record Kept(Sandbox sandbox, ChainHash chain) {
  /** What is kept of a sandbox that nobody asked for yet. */
  public static final Kept NOTHING = new Kept(new Sandbox.Absent(), ChainHash.SANDBOX);
}
