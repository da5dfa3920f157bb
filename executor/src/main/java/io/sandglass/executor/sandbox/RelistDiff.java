package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Compares what is known of a sandbox with the containers that were found of it. */
final class RelistDiff {
  private RelistDiff() {}

  /**
   * What this process knows of one sandbox.
   *
   * @param made whether there has been a container
   */
  record Known(Life life, Resident.Phase phase, boolean made) {}

  /** What is to be done about a difference. */
  sealed interface Action {
    /** A container that this process has not seen: know it, and ask whether it belongs here. */
    record Adopt(FoundContainer container) implements Action {}

    /** A container beside the one that is known: ask whether it belongs here. */
    record Ask(FoundContainer container) implements Action {}

    /** Its first process ended by itself. */
    record TellExit(Life life) implements Action {}

    /** It has been removed by somebody else. */
    record TellGone(Life life) implements Action {}

    /** There never was a container. */
    record Forget(Life life) implements Action {}

    /** Somebody froze it whom we did not ask to. */
    record Thaw(Life life) implements Action {}
  }

  static List<Action> diff(Optional<Known> known, List<FoundContainer> found) {
    List<Action> actions = new ArrayList<>();
    Optional<Life> here =
        known.map(Known::life).or(() -> present(found).findFirst().map(FoundContainer::life));
    present(found)
        .filter(container -> !known.map(Known::life).equals(Optional.of(container.life())))
        .map(
            container ->
                here.equals(Optional.of(container.life()))
                    ? new Action.Adopt(container)
                    : new Action.Ask(container))
        .forEach(actions::add);
    known.flatMap(one -> settle(one, of(one.life(), found))).ifPresent(actions::add);
    return actions;
  }

  /** Those that are not on their way out, the newest first. */
  private static Stream<FoundContainer> present(List<FoundContainer> found) {
    return found.stream()
        .filter(container -> container.phase() != FoundContainer.Phase.REMOVING)
        .sorted(Comparator.comparingInt(c -> -c.life().incarnation()));
  }

  private static Optional<FoundContainer> of(Life life, List<FoundContainer> found) {
    return found.stream().filter(container -> container.life().equals(life)).findFirst();
  }

  private static Optional<Action> settle(Known known, Optional<FoundContainer> found) {
    Life life = known.life();
    if (found.isEmpty()) {
      return Optional.of(known.made() ? new Action.TellGone(life) : new Action.Forget(life));
    }
    FoundContainer container = found.get();
    return switch (known.phase()) {
      case UNVERIFIED ->
          container.phase() == FoundContainer.Phase.REMOVING
              ? Optional.empty()
              : Optional.of(new Action.Adopt(container));
      case RUNNING, SUSPENDING ->
          switch (container.phase()) {
            case EXITED -> Optional.of(new Action.TellExit(life));
            case FROZEN -> Optional.of(new Action.Thaw(life));
            case CREATED, RUNNING, REMOVING -> Optional.empty();
          };
      case FROZEN ->
          container.phase() == FoundContainer.Phase.EXITED
              ? Optional.of(new Action.TellExit(life))
              : Optional.empty();
      case STARTING, STOPPED -> Optional.empty();
    };
  }
}
