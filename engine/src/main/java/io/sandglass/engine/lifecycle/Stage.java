package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.util.Optional;

/**
 * Where a living sandbox stands. Every transient stage knows the version of the event that asked
 * for it last ({@code order}) and has a deadline.
 */
public sealed interface Stage {

  /** A node was asked to start it. */
  record Starting(Instant since, long order) implements Stage {}

  record Running() implements Stage {}

  /**
   * The node was asked to suspend it.
   *
   * @param from the depth it sleeps at should the suspend fail; empty when it is awake
   */
  record Suspending(
      Depth depth,
      SuspendReason reason,
      Optional<Depth> from,
      int attempt,
      Instant since,
      long order)
      implements Stage {}

  record Suspended(Depth depth, Instant since) implements Stage {}

  /** The node was asked to bring it back from {@code depth}. */
  record Resuming(Depth depth, int attempt, Instant since, long order) implements Stage {}

  /** Its end is decided; the node was asked, {@code attempt} times, to remove it. */
  record Stopping(EndReason reason, String detail, int attempt, Instant since, long order)
      implements Stage {}
}
