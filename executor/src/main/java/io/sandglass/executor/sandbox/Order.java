package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import java.util.Optional;

/** What the log wants of this node. */
public sealed interface Order {

  /**
   * Whom an order is about.
   *
   * @param version of the fact that the order is; 0 when it is none
   */
  record Subject(Life life, String orgId, long version, Optional<String> requestId) {}

  Subject subject();

  default Life life() {
    return subject().life();
  }

  /** Have its container run and its guest answer. */
  record Start(Subject subject, String image, Limits limits, EgressPolicy egress)
      implements Order {}

  record Suspend(Subject subject, Depth depth) implements Order {}

  record Resume(Subject subject) implements Order {}

  record ApplyEgress(Subject subject, EgressPolicy egress) implements Order {}

  /** Remove all of it. */
  record Stop(Subject subject) implements Order {}

  /** Remove this one life's container, which the log does not want; nobody waits for an answer. */
  record Remove(Subject subject, String reason) implements Order {}

  /**
   * Whether {@code earlier} need not be carried out any more, or not to its end, now that this
   * order is here.
   */
  default boolean supersedes(Order earlier) {
    int ours = life().incarnation();
    int theirs = earlier.life().incarnation();
    return switch (this) {
      case Stop _, Remove _ ->
          switch (earlier) {
            case Start _, Suspend _, Resume _, ApplyEgress _ -> theirs <= ours;
            case Stop _, Remove _ -> false;
          };
      case Start _ -> theirs < ours;
      case Suspend _, Resume _, ApplyEgress _ -> false;
    };
  }
}
