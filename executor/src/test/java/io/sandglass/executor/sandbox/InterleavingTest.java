package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random orders, killed processes, orders delivered again, a runtime that fails now and then: in
 * the end every sandbox is as its last order asked for.
 */
final class InterleavingTest {
  private static final List<String> SANDBOXES = List.of("sbx_a", "sbx_b", "sbx_c");
  private static final int STEPS = 40;

  /** Of each seed; {@code -Dsandglass.histories.count=} plays more. */
  private static final int HISTORIES = Integer.getInteger("sandglass.histories.count", 100) / 5;

  @TempDir Path data;

  /** What the last order for a sandbox asked for. */
  private enum Wanted {
    NOTHING,
    RUNNING,
    FROZEN,
    STOPPED
  }

  private record State(Wanted wanted, int incarnation) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void endsAsTheLastOrderAsked(long seed) throws Exception {
    for (int history = 0; history < HISTORIES; history++) {
      play(new Random(seed * 1000 + history), 0, data.resolve("h" + history));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void endsTheSameWhenSparesAreClaimed(long seed) throws Exception {
    for (int history = 0; history < HISTORIES; history++) {
      play(new Random(seed * 1000 + history), 3, data.resolve("h" + history));
    }
  }

  private static void play(Random random, int mostSpares, Path data) throws Exception {
    NodeScenario node = new NodeScenario(data, new Capacity(1_000_000, 1L << 40, 1000), 1000);
    Random faults = new Random(random.nextLong());
    node.runtime.beforeEach(
        operation -> {
          synchronized (faults) {
            if (faults.nextInt(12) == 0) {
              throw new RuntimeUnavailableException("the runtime hiccups at " + operation, null);
            }
          }
        });
    if (mostSpares > 0) {
      node.keepReady(2);
      node.relisting();
    }
    Map<String, State> states = new HashMap<>();
    for (int step = 0; step < STEPS; step++) {
      String sandbox = SANDBOXES.get(random.nextInt(SANDBOXES.size()));
      State state = states.getOrDefault(sandbox, new State(Wanted.NOTHING, 0));
      states.put(sandbox, next(node, sandbox, state, random));
      switch (random.nextInt(8)) {
        case 0 -> {
          node.reboot();
          node.relisting();
          node.redeliver();
        }
        case 1 -> node.redeliver();
        case 2 -> node.awaitAllDone();
        case 3 -> node.keepReady(random.nextInt(mostSpares + 1));
        default -> Thread.onSpinWait();
      }
    }
    node.awaitAllDone();
    node.runtime.beforeEach(operation -> {});
    node.process().node().lanes().close();
    node.process().node().pool().close();
    node.process().node().relist().stop();
    states.forEach((sandbox, state) -> assertState(node, sandbox, state));
    assertThat(node.runtime.all())
        .filteredOn(container -> !container.life().isSpare())
        .extracting(container -> container.life().sandboxId())
        .isSubsetOf(states.keySet())
        .doesNotHaveDuplicates();
    // What a container sees lies where it was made.
    assertThat(node.process().directories().spares())
        .containsAll(
            node.runtime.all().stream()
                .filter(FoundContainer::wasSpare)
                .filter(container -> container.phase() == Phase.RUNNING)
                .map(FoundContainer::origin)
                .toList());
  }

  /** An order that the engine could give in this state. */
  private static State next(NodeScenario node, String sandbox, State state, Random random) {
    Life life = new Life(sandbox, state.incarnation());
    boolean stop = random.nextInt(4) == 0;
    return switch (state.wanted()) {
      case NOTHING -> {
        Life born = new Life(sandbox, state.incarnation() + 1);
        node.order(node.start(born));
        yield new State(Wanted.RUNNING, born.incarnation());
      }
      case RUNNING -> {
        if (stop) {
          yield stop(node, life);
        }
        boolean deep = random.nextBoolean();
        node.order(new Order.Suspend(node.subject(life), deep ? Depth.STOPPED : Depth.FROZEN));
        yield new State(deep ? Wanted.STOPPED : Wanted.FROZEN, life.incarnation());
      }
      case FROZEN, STOPPED -> {
        if (stop) {
          yield stop(node, life);
        }
        node.order(new Order.Resume(node.subject(life)));
        yield new State(Wanted.RUNNING, life.incarnation());
      }
    };
  }

  private static State stop(NodeScenario node, Life life) {
    node.order(new Order.Stop(node.subject(life)));
    return new State(Wanted.NOTHING, life.incarnation());
  }

  private static void assertState(NodeScenario node, String sandbox, State state) {
    List<FoundContainer> containers = node.containers(sandbox);
    Phase phase =
        switch (state.wanted()) {
          case NOTHING -> null;
          case RUNNING -> Phase.RUNNING;
          case FROZEN -> Phase.FROZEN;
          case STOPPED -> Phase.EXITED;
        };
    if (phase == null) {
      assertThat(containers).as(sandbox).isEmpty();
      assertThat(node.process().directories().lives())
          .extracting(Life::sandboxId)
          .doesNotContain(sandbox);
    } else {
      assertThat(containers).as(sandbox).hasSize(1);
      assertThat(containers.getFirst().life()).isEqualTo(new Life(sandbox, state.incarnation()));
      assertThat(containers.getFirst().phase()).as(sandbox).isEqualTo(phase);
    }
  }
}
