package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WarmPoolTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Life FIRST = new Life("sbx_a", 1);
  private static final Limits BIG = new Limits(4000, 1L << 30);

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  @BeforeEach
  void begin() {
    node = NodeScenario.roomy(data);
  }

  @AfterEach
  void end() throws Exception {
    node.process().node().lanes().close();
    node.process().node().pool().close();
    node.process().node().relist().stop();
  }

  private void warm(int count) throws Exception {
    node.keepReady(count);
    node.relisting();
    awaitReady(count);
  }

  private void awaitReady(int count) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(node.ready()).isEqualTo(count);
              assertThat(spares()).hasSize(count);
            });
  }

  private List<FoundContainer> spares() {
    return node.runtime.all().stream().filter(c -> c.life().isSpare()).toList();
  }

  private Order.Start start(Life life, Limits limits, EgressPolicy egress) {
    return new Order.Start(node.subject(life), NodeScenario.IMAGE, limits, egress);
  }

  private FoundContainer container(Life life) {
    return node.runtime.find(life).orElseThrow();
  }

  private List<Boolean> warmth(Life life) {
    return node.reports.of(life, Report.Started.class).stream().map(Report.Started::warm).toList();
  }

  @Test
  void keepsContainersReadyThatReachNothing() throws Exception {
    warm(3);

    assertThat(spares()).extracting(FoundContainer::phase).containsOnly(Phase.RUNNING);
    assertThat(spares()).extracting(FoundContainer::address).doesNotHaveDuplicates();
    assertThat(node.firewall.inForce()).isEmpty();
    assertThat(node.process().residents().all()).isEmpty();
    assertThat(node.reports.all()).isEmpty();
  }

  @Test
  void aSandboxTakesOneAsItAsksForIt() throws Exception {
    warm(2);
    List<String> ids = spares().stream().map(FoundContainer::containerId).toList();
    node.carryOut(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));

    FoundContainer claimed = container(FIRST);
    assertThat(ids).contains(claimed.containerId());
    assertThat(claimed.phase()).isEqualTo(Phase.RUNNING);
    assertThat(claimed.limits()).isEqualTo(BIG);
    assertThat(node.firewall.inForce())
        .containsOnlyKeys(Ipv4.parse(claimed.address().orElseThrow()));
    assertThat(warmth(FIRST)).containsExactly(true);
    assertThat(node.process().node().pool().claims().getCount()).isEqualTo(1);
    awaitReady(2);
    assertThat(node.stock()).isEqualTo(new Stock(2, 2, 0, 1, 0));
  }

  @Test
  void startsOneAsEverWhenNoneIsReady() throws Exception {
    node.keepReady(1); // nobody has looked yet
    node.carryOut(node.start(FIRST));

    assertThat(container(FIRST).wasSpare()).isFalse();
    assertThat(warmth(FIRST)).containsExactly(false);
    assertThat(node.stock()).isEqualTo(new Stock(1, 0, 0, 0, 1));
    assertThat(node.process().node().pool().misses()).isEqualTo(1);
  }

  @Test
  void givesEachToOneOfTwentyThatStartAtOnce() throws Exception {
    warm(3);
    List<Life> lives = IntStream.range(0, 20).mapToObj(i -> new Life("sbx_" + i, 1)).toList();
    lives.forEach(life -> node.order(node.start(life)));
    node.awaitAllDone();

    assertThat(lives)
        .allSatisfy(life -> assertThat(container(life).phase()).isEqualTo(Phase.RUNNING));
    assertThat(lives.stream().map(this::container).map(FoundContainer::containerId))
        .doesNotHaveDuplicates();
    assertThat(lives.stream().map(this::container).map(FoundContainer::address))
        .doesNotHaveDuplicates();
    assertThat(lives.stream().filter(life -> container(life).wasSpare()).count())
        .isGreaterThanOrEqualTo(3);
    for (Life life : lives) {
      assertThat(warmth(life)).containsExactly(container(life).wasSpare());
    }
    awaitReady(3);
  }

  @Test
  void handsNoneOutWhoseGuestDoesNotAnswer() throws Exception {
    warm(1);
    Life spare = spares().getFirst().life();
    node.guests.silence(spare);
    node.carryOut(node.start(FIRST));

    assertThat(container(FIRST).wasSpare()).isFalse();
    assertThat(warmth(FIRST)).containsExactly(false);
    await().atMost(PATIENCE).until(() -> node.runtime.find(spare).isEmpty());
    awaitReady(1);
  }

  @Test
  void replacesOneThatEnded() throws Exception {
    warm(1);
    Life spare = spares().getFirst().life();
    node.runtime.exit(spare, 137, true);

    await().atMost(PATIENCE).until(() -> node.runtime.find(spare).isEmpty());
    awaitReady(1);
    assertThat(node.reports.all()).isEmpty();
  }

  @Test
  void givesWayToASandboxThatNeedsTheRoom() throws Exception {
    long unit = NodeScenario.SMALL.memoryBytes();
    node = new NodeScenario(data.resolve("small"), new Capacity(1_000_000, 4 * unit, 10), 3);
    warm(2);
    Life other = new Life("sbx_b", 1);
    node.carryOut(start(FIRST, new Limits(1000, 2 * unit), EgressPolicy.ALLOW_ALL));
    node.carryOut(start(other, new Limits(1000, 2 * unit), EgressPolicy.ALLOW_ALL));

    assertThat(warmth(FIRST)).hasSize(1);
    assertThat(warmth(other)).hasSize(1);
    awaitReady(0);
    node.carryOut(new Order.Stop(node.subject(other)));
    awaitReady(2);
  }

  @Test
  void goesWithWhatItWasFor() throws Exception {
    warm(3);
    node.keepReady(1);
    awaitReady(1);
    Life spare = spares().getFirst().life();

    node.runtime.tag(NodeScenario.IMAGE, "another image");
    await().atMost(PATIENCE).until(() -> node.runtime.find(spare).isEmpty());
    awaitReady(1);
    assertThat(spares().getFirst().imageId()).isEqualTo("another image");

    node.keepReady(0);
    awaitReady(0);
    await().atMost(PATIENCE).until(() -> node.process().directories().spares().isEmpty());
  }

  @Test
  void isTakenUpByTheNextProcess() throws Exception {
    warm(2);
    List<String> ids = spares().stream().map(FoundContainer::containerId).toList();
    node.reboot();
    node.relisting();
    awaitReady(2);

    assertThat(spares()).extracting(FoundContainer::containerId).hasSameElementsAs(ids);
    node.carryOut(node.start(FIRST));
    assertThat(ids).contains(container(FIRST).containerId());
    assertThat(warmth(FIRST)).containsExactly(true);
  }

  @Test
  void aClaimedOneSleepsAndWakesAndIsRemovedLikeAnyOther() throws Exception {
    warm(1);
    node.carryOut(node.start(FIRST));
    Life origin = container(FIRST).origin();
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.STOPPED));
    node.reboot();
    node.relisting();
    node.carryOut(new Order.Resume(node.subject(FIRST)));

    assertThat(node.reports.of(FIRST, Report.Resumed.class)).hasSize(1);
    assertThat(node.process().directories().hasMount(origin)).isTrue();
    assertThat(node.process().residents().get("sbx_a").orElseThrow().limits())
        .isEqualTo(NodeScenario.SMALL);
    assertThat(node.process().residents().get("sbx_a").orElseThrow().orgId()).isEqualTo("org_1");

    node.carryOut(new Order.Stop(node.subject(FIRST)));
    assertThat(node.containers("sbx_a")).isEmpty();
    await().atMost(PATIENCE).until(() -> !node.process().directories().hasMount(origin));
    assertThat(node.process().directories().lives()).isEmpty();
    assertThat(node.firewall.inForce()).isEmpty();
  }

  private Order.Start ahead(Life life) {
    return new Order.Start(
        new Order.Subject(life, "org_1", 0, Optional.empty()),
        NodeScenario.IMAGE,
        BIG,
        EgressPolicy.ALLOW_ALL);
  }

  private CompletableFuture<Boolean> startAhead(Life life) {
    return node.process().node().lanes().startAhead(ahead(life));
  }

  private void awaitIdle() {
    await().atMost(PATIENCE).until(() -> node.process().node().lanes().busy() == 0);
  }

  private Resident.Phase phase(Life life) {
    return node.process().residents().get(life.sandboxId()).orElseThrow().phase();
  }

  @Test
  void oneThatIsSetAsideRunsBeforeItsOrderIsHere() throws Exception {
    warm(1);
    String id = spares().getFirst().containerId();
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isTrue();
    node.process().executions().awaitRunning(FIRST, 0);

    assertThat(phase(FIRST)).isEqualTo(Resident.Phase.RUNNING);
    FoundContainer claimed = container(FIRST);
    assertThat(claimed.containerId()).isEqualTo(id);
    assertThat(claimed.limits()).isEqualTo(BIG);
    Ipv4 address = Ipv4.parse(claimed.address().orElseThrow());
    assertThat(node.firewall.inForce()).containsOnlyKeys(address);
    assertThat(node.reports.all()).isEmpty();
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).as("asked again").isTrue();

    node.carryOut(start(FIRST, BIG, EgressPolicy.DENY_ALL));
    assertThat(container(FIRST)).isEqualTo(claimed);
    assertThat(warmth(FIRST)).containsExactly(true);
    assertThat(node.firewall.inForce()).as("the policy is the log's").isEmpty();
    awaitReady(1);
    assertThat(node.stock()).isEqualTo(new Stock(1, 1, 0, 1, 0));
  }

  @Test
  void nothingIsLeftWhereNoneCanBeSetAside() throws Exception {
    node.keepReady(1); // nobody has looked yet
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isFalse();
    warm(1);
    Life spare = spares().getFirst().life();
    node.guests.silence(spare);
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isFalse();

    assertThat(node.process().residents().all()).isEmpty();
    assertThat(node.process().directories().lives()).isEmpty();
    assertThat(node.containers("sbx_a")).isEmpty();
    assertThat(node.process().node().pool().misses()).isZero();
  }

  @Test
  void eachIsSetAsideOnceHoweverManyAsk() throws Exception {
    warm(3);
    List<String> ids = spares().stream().map(FoundContainer::containerId).toList();
    node.runtime.beforeEach(
        asked -> {
          if (asked.equals("create")) {
            throw new RuntimeUnavailableException("none is made in the place of another", null);
          }
        });
    List<Life> lives = IntStream.range(0, 20).mapToObj(i -> new Life("sbx_" + i, 1)).toList();
    List<CompletableFuture<Boolean>> asked = lives.stream().map(this::startAhead).toList();
    List<Life> got = new ArrayList<>();
    for (int i = 0; i < lives.size(); i++) {
      if (asked.get(i).get(30, TimeUnit.SECONDS)) {
        got.add(lives.get(i));
      }
    }
    awaitIdle();

    assertThat(got).hasSize(3);
    assertThat(got.stream().map(this::container).map(FoundContainer::containerId))
        .doesNotHaveDuplicates()
        .isSubsetOf(ids);
    assertThat(node.process().residents().all()).extracting(Resident::life).hasSameElementsAs(got);
  }

  @Test
  void oneThatIsLostAsItIsSetAsideIsMadeAllTheSame() throws Exception {
    warm(1);
    Life spare = spares().getFirst().life();
    node.runtime.beforeEach(
        asked -> {
          if (asked.equals("rename")) {
            node.runtime.beforeEach(operation -> {});
            node.runtime.remove(spare);
          }
        });
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isTrue();
    node.process().executions().awaitRunning(FIRST, 0);

    assertThat(phase(FIRST)).isEqualTo(Resident.Phase.RUNNING);
    assertThat(container(FIRST).wasSpare()).isFalse();
    node.carryOut(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));
    assertThat(node.containers("sbx_a")).hasSize(1);
  }

  @Test
  void oneThatTheLogDoesNotWantIsRemovedAndStartedAnewIfItDoesAfterAll() throws Exception {
    warm(1);
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isTrue();
    awaitIdle();
    String id = container(FIRST).containerId();
    var unasked = new Order.Subject(FIRST, "", 0, Optional.empty());
    node.carryOut(new Order.Remove(unasked, "no such sandbox lives"));
    assertThat(node.containers("sbx_a")).isEmpty();
    assertThat(node.process().residents().all()).isEmpty();

    node.carryOut(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));
    assertThat(container(FIRST).containerId()).isNotEqualTo(id);
    assertThat(node.reports.of(FIRST, Report.Started.class)).hasSize(1);
  }

  @Test
  void oneThatWasSetAsideByAnEarlierProcessIsTheSandboxs() throws Exception {
    warm(1);
    assertThat(startAhead(FIRST).get(30, TimeUnit.SECONDS)).isTrue();
    awaitIdle();
    String id = container(FIRST).containerId();
    node.reboot();
    node.relisting();
    node.carryOut(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));

    assertThat(container(FIRST).containerId()).isEqualTo(id);
    assertThat(warmth(FIRST)).containsExactly(true);
  }

  /** Killed as it asks the runtime for this, before or after that has an effect. */
  @ParameterizedTest
  @CsvSource({"rename, false", "rename, true", "resize, false", "resize, true"})
  void endsTheSameWhereverAClaimIsKilled(String operation, boolean effect) throws Exception {
    warm(1);
    CountDownLatch killed = new CountDownLatch(1);
    node.runtime.beforeEach(
        asked -> {
          if (asked.equals(operation) && Thread.currentThread().getName().startsWith("lane-")) {
            node.kill();
            killed.countDown();
            if (!effect) {
              throw new Preemption.PreemptedException(Preemption.Cause.SHUTDOWN);
            }
          }
        });
    node.order(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));

    assertThat(killed.await(30, TimeUnit.SECONDS)).isTrue();
    assertEndsTheSame();
  }

  @Test
  void endsTheSameWhenItIsKilledBeforeItTells() throws Exception {
    warm(1);
    node.reports.unreachable(true);
    node.order(start(FIRST, BIG, EgressPolicy.ALLOW_ALL));
    await().atMost(PATIENCE).until(() -> !node.firewall.inForce().isEmpty());
    node.kill();

    assertEndsTheSame();
  }

  private void assertEndsTheSame() throws Exception {
    node.runtime.beforeEach(operation -> {});
    node.reboot();
    node.reports.unreachable(false);
    node.relisting();
    node.redeliver();
    node.awaitAllDone();

    assertThat(node.containers("sbx_a")).hasSize(1);
    FoundContainer one = container(FIRST);
    assertThat(one.phase()).isEqualTo(Phase.RUNNING);
    assertThat(one.limits()).isEqualTo(BIG);
    assertThat(node.firewall.inForce()).containsOnlyKeys(Ipv4.parse(one.address().orElseThrow()));
    assertThat(warmth(FIRST)).isNotEmpty().containsOnly(one.wasSpare());
    assertThat(node.process().directories().hasMount(one.origin())).isTrue();
    assertThat(node.process().directories().org(FIRST)).contains("org_1");
    awaitReady(1);
  }
}
