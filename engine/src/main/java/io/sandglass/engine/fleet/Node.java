package io.sandglass.engine.fleet;

/**
 * What the engine knows of a node.
 *
 * @param slot its partition of the orders topic, for ever
 * @param epoch counts its returns and restarts
 * @param heartbeat its last one
 */
public record Node(int slot, State state, long epoch, Heartbeat heartbeat) {

  /** Whether it is there. */
  public enum State {
    READY,
    LOST
  }

  public String id() {
    return heartbeat.nodeId();
  }

  /** The same node, silent for too long. */
  public Node lost() {
    return new Node(slot, State.LOST, epoch, heartbeat);
  }
}
