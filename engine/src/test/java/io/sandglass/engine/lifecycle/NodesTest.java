package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Commands.NODE;
import static io.sandglass.engine.lifecycle.Commands.OTHER_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NodesTest {
  private static final Instant LAST_HEARTBEAT = Life.DAWN.minusSeconds(10);

  @Test
  void aRefusedSandboxIsPlacedOnTheNextNodeAsItsNextIncarnation() {
    Life life = Life.ephemeral();

    life.say(Commands.refused(life.origin(), OTHER_NODE));

    assertThat(life.log().getLast().fact())
        .isEqualTo(new Fact.PlacementChanged(OTHER_NODE, 2, NODE, "no room left"));
    assertThat(life.tenure().node()).isEqualTo(OTHER_NODE);
    assertThat(life.status()).isEqualTo(Status.CREATING);
  }

  @Test
  void placingItElsewhereLeavesTheTimeToStartButNotTheExpiryAnew() {
    Life life = Life.ephemeral().after(Duration.ofSeconds(50));
    Optional<Instant> expiry = life.due(Deadline.Kind.EXPIRY);

    life.say(Commands.refused(life.origin(), OTHER_NODE));

    assertThat(life.due(Deadline.Kind.START)).contains(life.now().plus(Commands.PATIENCE.start()));
    assertThat(life.due(Deadline.Kind.EXPIRY)).isEqualTo(expiry);
  }

  @Test
  void onlySoManyNodesAreTried() {
    Life life = Life.ephemeral();
    for (int tried = 1; tried < Commands.PATIENCE.maxPlacements(); tried++) {
      life.say(Commands.refused(life.origin(), "node-" + (tried + 1)));
      assertThat(life.status()).isEqualTo(Status.CREATING);
    }

    assertThat(life.facts(Commands.refused(life.origin(), "node-4")))
        .containsExactly(
            new Fact.SandboxEnded(EndReason.START_FAILED, "no room left", Optional.empty()));
  }

  @Test
  void withoutANodeThatFitsThereIsNoSandbox() {
    Life life = new Life();

    assertThat(
            life.say(
                new Command.Create(
                    Commands.OWNER, Commands.spec(Commands.EPHEMERAL), Optional.empty(), false)))
        .isEqualTo(
            new Decision.Rejected(
                Rejection.NO_CAPACITY,
                "Expected a node with room for size shared-cpu-1x and image"
                    + " sandglass/python:0.1.0, but there is none"));
    assertThat(life.status()).isEqualTo(Status.ABSENT);
  }

  @Test
  void anEphemeralSandboxEndsWithItsNodeAndTellsWhenItWasLastAlive() {
    Life life = Life.ephemeral().running();

    assertThat(life.facts(Commands.lose(NODE, LAST_HEARTBEAT, OTHER_NODE)))
        .containsExactly(
            new Fact.SandboxEnded(
                EndReason.NODE_LOST,
                "node node-1 was last heard of at 2026-11-01T11:59:50Z",
                Optional.of(LAST_HEARTBEAT)));
  }

  @Test
  void aPersistentSandboxOutlivesItsNodeAsleep() {
    for (Life life :
        List.of(
            Life.persistent().running(),
            Life.persistent().suspending(),
            Life.persistent().frozen(),
            Life.persistent().resuming())) {
      assertThat(life.facts(Commands.lose(NODE, LAST_HEARTBEAT)))
          .containsExactly(
              new Fact.SandboxSuspended(
                  Depth.STOPPED, SuspendReason.NODE_LOST, Optional.of(LAST_HEARTBEAT)));
    }
  }

  @Test
  void aSandboxThatHasNotStartedMovesOnWhenItsNodeIsLost() {
    Life life = Life.persistent();

    life.say(Commands.lose(NODE, LAST_HEARTBEAT, OTHER_NODE));

    assertThat(life.tenure().node()).isEqualTo(OTHER_NODE);
    assertThat(life.tenure().incarnation()).isEqualTo(2);
  }

  @Test
  void aSandboxThatIsBeingDestroyedEndsWithItsNode() {
    Life life = Life.persistent().stopped().stopping();

    life.say(Commands.lose(NODE, LAST_HEARTBEAT));

    assertThat(life.state())
        .isInstanceOfSatisfying(
            Sandbox.Ended.class,
            ended -> assertThat(ended.reason()).isEqualTo(EndReason.REQUESTED));
  }

  @Test
  void theLossOfAnotherNodeConcernsNobody() {
    assertThat(Life.ephemeral().running().say(Commands.lose("node-9", LAST_HEARTBEAT)))
        .isInstanceOf(Decision.Ignored.class);
  }

  @Test
  void aContainerThatSurvivedTheLossOfItsNodeIsPutToSleep() {
    Life life = Life.persistent().running().and(Commands.lose(NODE, LAST_HEARTBEAT));

    assertThat(life.facts(Commands.observed(life.origin(), Command.Phase.RUNNING)))
        .containsExactly(new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.NODE_RETURNED, 1));
  }

  @Test
  void aContainerThatCannotBePutBackToSleepIsKnownToRun() {
    Life life = Life.persistent().sentBackToSleep();

    life.say(Commands.suspendFailed(life.origin()));

    assertThat(life.status()).isEqualTo(Status.RUNNING);
    assertThat(life.due(Deadline.Kind.IDLE)).isPresent();
  }

  @Test
  void aContainerThatStoppedWhileNobodyLookedDoesNotCountAsRunning() {
    Life ephemeral = Life.ephemeral().running();
    Life persistent = Life.persistent().running();

    ephemeral.say(Commands.observed(ephemeral.origin(), Command.Phase.STOPPED));
    persistent.say(Commands.observed(persistent.origin(), Command.Phase.STOPPED));

    assertThat(ephemeral.status()).isEqualTo(Status.DESTROYED);
    assertThat(persistent.status()).isEqualTo(Status.SUSPENDED);
  }

  @Test
  void aContainerOfALifeThatIsOverIsRemovedWhateverTheNodeSaysOfIt() {
    Life life = Life.persistent();
    Command.Origin first = life.origin();
    life.say(Commands.lose(NODE, LAST_HEARTBEAT, OTHER_NODE));
    life.running();

    for (Command report :
        List.of(
            Commands.started(first),
            Commands.observed(first, Command.Phase.RUNNING),
            Commands.exited(first))) {
      assertThat(life.say(report)).isInstanceOf(Decision.Disowned.class);
    }
    assertThat(life.status()).isEqualTo(Status.RUNNING);
  }

  @Test
  void aContainerOfAnEndedSandboxIsRemoved() {
    Life life = Life.ephemeral().running();
    Command.Origin last = life.origin();
    life.say(Commands.lose(NODE, LAST_HEARTBEAT));

    assertThat(life.say(Commands.observed(last, Command.Phase.RUNNING)))
        .isInstanceOf(Decision.Disowned.class);
  }

  @Test
  void aContainerNobodyEverAskedForIsRemoved() {
    assertThat(
            new Life()
                .say(Commands.observed(new Command.Origin(NODE, 1, 0), Command.Phase.STOPPED)))
        .isInstanceOf(Decision.Disowned.class);
  }
}
