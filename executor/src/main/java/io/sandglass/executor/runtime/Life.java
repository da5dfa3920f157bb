package io.sandglass.executor.runtime;

/**
 * One life of a sandbox's container. A sandbox that is placed anew gets the next incarnation, so
 * what belongs to an older one can always be told.
 */
public record Life(String sandboxId, int incarnation) {

  /** The container's name, which is also its identity: the same life never has two containers. */
  public String containerName() {
    return "sbx-" + sandboxId + "-" + incarnation;
  }

  @Override
  public String toString() {
    return sandboxId + "/" + incarnation;
  }
}
