package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import io.sandglass.executor.sandbox.EgressPolicy.Mode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OrdersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Life FIRST = new Life("sbx_a", 1);
  private static final Life SECOND = new Life("sbx_a", 2);

  private static final EgressPolicy SOME_OPEN =
      new EgressPolicy(Mode.DENY_ALL, List.of("203.0.113.128/25"), List.of(), List.of(443));

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  @BeforeEach
  void begin() {
    node = NodeScenario.roomy(data);
  }

  private <T extends Report.Content> List<T> told(Life life, Class<T> type) {
    return node.reports.of(life, type);
  }

  @Test
  void startsAndReports() throws Exception {
    Order.Start start = node.start(FIRST);
    node.carryOut(start);

    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.RUNNING);
    assertThat(node.reports.all())
        .containsExactly(new Report(start.subject(), new Report.Started(false)));
  }

  @Test
  void looksForNoContainerOfASandboxThatIsNew() throws Exception {
    node.carryOut(node.start(new Life("sbx_b", 1))); // the first one has the firewall set up
    Set<String> operations = ConcurrentHashMap.newKeySet();
    node.runtime.beforeEach(operations::add);

    node.carryOut(node.start(FIRST));

    assertThat(operations).contains("create").doesNotContain("list");
  }

  @Test
  void answersTheSameAfterItWasKilled() throws Exception {
    Order.Start start = node.start(FIRST);
    node.carryOut(start);
    node.reboot();
    node.carryOut(start);

    assertThat(node.containers("sbx_a")).hasSize(1);
    assertThat(node.reports.all())
        .filteredOn(report -> report.content() instanceof Report.Started)
        .extracting(Report::id)
        .hasSize(2)
        .containsOnly(new Report(start.subject(), new Report.Started(false)).id());
  }

  @Test
  void doesNotGoThroughThePastAgain() throws Exception {
    Order.Start start = node.start(FIRST);
    node.carryOut(start);
    Order.Suspend suspend = new Order.Suspend(node.subject(FIRST), Depth.FROZEN);
    node.carryOut(suspend);
    node.carryOut(new Order.Resume(node.subject(FIRST)));
    node.carryOut(start);
    node.carryOut(suspend);

    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.RUNNING);
    assertThat(node.reports.all()).hasSize(3);
  }

  @Test
  void refusesWithoutAnImage() throws Exception {
    node.carryOut(
        new Order.Start(
            node.subject(FIRST), "no/image:1", NodeScenario.SMALL, EgressPolicy.ALLOW_ALL));

    assertThat(told(FIRST, Report.Refused.class))
        .extracting(Report.Refused::detail)
        .containsExactly("this node does not have the image no/image:1");
    assertNothingLeft();
  }

  @Test
  void refusesWhatDoesNotFit() throws Exception {
    node = new NodeScenario(data, new Capacity(1500, 1L << 40, 10), 3);
    Life other = new Life("sbx_b", 1);
    node.carryOut(node.start(FIRST));
    node.carryOut(node.start(other));

    assertThat(told(other, Report.Refused.class))
        .extracting(Report.Refused::detail)
        .containsExactly("the node has 500 of 1500 mCPU left");
    node.carryOut(new Order.Stop(node.subject(FIRST)));
    node.carryOut(node.start(other));
    assertThat(told(other, Report.Started.class)).hasSize(1);
  }

  @Test
  void hasThePolicyInForceBeforeTheFirstProcessRuns() throws Exception {
    List<Map<Ipv4, Reach>> atStart = new CopyOnWriteArrayList<>();
    node.runtime.onStart(_ -> atStart.add(node.firewall.inForce()));
    node.carryOut(
        new Order.Start(node.subject(FIRST), NodeScenario.IMAGE, NodeScenario.SMALL, SOME_OPEN));

    assertThat(atStart).containsExactly(Map.of(address(FIRST), SOME_OPEN.reach()));
  }

  private Ipv4 address(Life life) {
    return Ipv4.parse(node.runtime.find(life).orElseThrow().address().orElseThrow());
  }

  @Test
  void changesWhatASandboxReaches() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.ApplyEgress(node.subject(FIRST), SOME_OPEN));

    assertThat(node.firewall.inForce()).isEqualTo(Map.of(address(FIRST), SOME_OPEN.reach()));
  }

  @Test
  void doesNotGoBackToAnOlderPolicy() throws Exception {
    Order.Start start = node.start(FIRST);
    Order.ApplyEgress open = new Order.ApplyEgress(node.subject(FIRST), EgressPolicy.ALLOW_ALL);
    node.carryOut(start);
    node.carryOut(open);
    node.carryOut(new Order.ApplyEgress(node.subject(FIRST), SOME_OPEN));
    node.reboot();
    node.firewall.establish(Map.of());
    node.carryOut(start);
    node.carryOut(open);

    assertThat(node.firewall.inForce()).isEqualTo(Map.of(address(FIRST), SOME_OPEN.reach()));
  }

  @Test
  void hasEveryPolicyInForceAfterTheHostWasRestarted() throws Exception {
    Life other = new Life("sbx_b", 1);
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.ApplyEgress(node.subject(FIRST), SOME_OPEN));
    node.carryOut(node.start(other));
    node.reboot();
    node.firewall.establish(Map.of());
    node.relisting();

    assertThat(node.firewall.inForce())
        .isEqualTo(Map.of(address(FIRST), SOME_OPEN.reach(), address(other), Reach.ALL));
  }

  @Test
  void putsRightWhatSomebodyElseChangedInTheFirewall() throws Exception {
    node.relisting();
    node.carryOut(node.start(FIRST));
    node.firewall.disturb(address(FIRST));

    await().atMost(PATIENCE).until(() -> !node.firewall.inForce().isEmpty());
    assertThat(node.process().egress().drifts()).isEqualTo(1);
  }

  @Test
  void letsAnAddressRestBeforeAnotherGetsIt() throws Exception {
    node.carryOut(node.start(FIRST));
    Ipv4 first = address(FIRST);
    node.carryOut(new Order.Stop(node.subject(FIRST)));
    assertThat(node.firewall.inForce()).isEmpty();
    Life other = new Life("sbx_b", 1);
    node.carryOut(node.start(other));

    assertThat(address(other)).isNotEqualTo(first);
  }

  private void assertNothingLeft() {
    assertThat(node.runtime.all()).isEmpty();
    assertThat(node.process().directories().lives()).isEmpty();
    assertThat(node.process().residents().all()).isEmpty();
  }

  @Test
  void leavesNothingOfAStartThatFailed() throws Exception {
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("start")) {
            throw new RuntimeRefusedException("no such entrypoint", null);
          }
        });
    node.carryOut(node.start(FIRST));

    assertThat(told(FIRST, Report.StartFailed.class))
        .extracting(Report.StartFailed::detail)
        .containsExactly("no such entrypoint");
    assertNothingLeft();
  }

  @Test
  void leavesNothingOfASandboxWhoseGuestIsSilent() throws Exception {
    node.guests.silence(FIRST);
    node.carryOut(node.start(FIRST));

    assertThat(told(FIRST, Report.StartFailed.class)).hasSize(1);
    assertNothingLeft();
  }

  @Test
  void triesAgainWhatMayPass() throws Exception {
    AtomicInteger failures = new AtomicInteger(2);
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("create") && failures.getAndDecrement() > 0) {
            throw new RuntimeUnavailableException("busy", null);
          }
        });
    node.carryOut(node.start(FIRST));

    assertThat(told(FIRST, Report.Started.class)).hasSize(1);
  }

  @Test
  void givesUpAStartInProgressForAStop() throws Exception {
    CountDownLatch creating = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("create")) {
            creating.countDown();
            awaitQuietly(go);
          }
        });
    node.order(node.start(FIRST));
    assertThat(creating.await(30, TimeUnit.SECONDS)).isTrue();
    node.order(new Order.Stop(node.subject(FIRST)));
    go.countDown();
    node.awaitAllDone();

    assertThat(told(FIRST, Report.Started.class)).isEmpty();
    assertThat(told(FIRST, Report.Gone.class)).hasSize(1);
    assertNothingLeft();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void dropsTheOrdersOfAnOlderLife() throws Exception {
    node.carryOut(node.start(SECOND));
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    node.carryOut(new Order.Stop(node.subject(FIRST)));

    assertThat(node.reports.all()).hasSize(1);
    assertThat(node.containers("sbx_a")).extracting(FoundContainer::life).containsExactly(SECOND);
  }

  @Test
  void replacesTheOlderLife() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(node.start(SECOND));

    assertThat(node.containers("sbx_a")).extracting(FoundContainer::life).containsExactly(SECOND);
  }

  @Test
  void leavesNothingOfAnOlderLifeWhoseRemovalWasKilled() throws Exception {
    node.carryOut(node.start(FIRST));
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("remove")) {
            node.kill();
          }
        });
    node.order(new Order.Stop(node.subject(FIRST)));
    await().atMost(PATIENCE).until(() -> node.runtime.all().isEmpty());
    node.runtime.beforeEach(operation -> {});
    node.reboot();

    node.carryOut(node.start(SECOND)); // which makes the stop pointless

    assertThat(node.process().directories().lives()).containsExactly(SECOND);
  }

  @Test
  void leavesNothingOfALifeWhoseStopWasEndedHalfWayWhenTheNextIsStoppedBeforeItStarts()
      throws Exception {
    node.carryOut(node.start(FIRST));
    node.runtime.remove(FIRST);
    node.reboot();

    node.carryOut(new Order.Stop(node.subject(SECOND))); // which makes stop and start pointless

    assertNothingLeft();
  }

  @Test
  void removesOnlyTheLifeThatIsMeant() throws Exception {
    node.carryOut(node.start(SECOND));
    node.carryOut(new Order.Remove(node.subject(FIRST), "unknown"));
    assertThat(node.containers("sbx_a")).hasSize(1);

    node.carryOut(new Order.Remove(node.subject(SECOND), "unknown"));
    assertNothingLeft();
    assertThat(told(SECOND, Report.Gone.class)).isEmpty();
  }

  @Test
  void answersAStopOfWhatIsNotThere() throws Exception {
    node.carryOut(new Order.Stop(node.subject(FIRST)));

    assertThat(told(FIRST, Report.Gone.class)).hasSize(1);
  }

  @Test
  void tellsThatOneEndedInItsSleepBeforeItIsWokenFromItsFiles() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    node.runtime.exit(FIRST, 137, false);
    Order.Resume resume = new Order.Resume(node.subject(FIRST));
    node.carryOut(resume);

    assertThat(told(FIRST, Report.Exited.class)).hasSize(1);
    assertThat(node.reports.all().getLast().subject()).isEqualTo(resume.subject());
    assertThat(told(FIRST, Report.Resumed.class)).isEmpty();

    node.carryOut(new Order.Resume(node.subject(FIRST)));

    assertThat(told(FIRST, Report.Resumed.class)).hasSize(1);
    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.RUNNING);
  }

  private boolean thaw(Life life) throws Exception {
    return node.process().node().lanes().thaw(life).get(30, TimeUnit.SECONDS);
  }

  @Test
  void aFrozenOneIsAwakeBeforeItsOrderIsHere() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    int told = node.reports.all().size();

    assertThat(thaw(FIRST)).isTrue();
    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.RUNNING);
    assertThat(thaw(FIRST)).as("once more").isTrue();
    assertThat(node.reports.all()).hasSize(told);

    node.carryOut(new Order.Resume(node.subject(FIRST)));
    assertThat(told(FIRST, Report.Resumed.class)).hasSize(1);
  }

  @Test
  void onlyTheLogWakesWhatSleepsDeeper() throws Exception {
    assertThat(thaw(FIRST)).isFalse();
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.STOPPED));
    assertThat(thaw(FIRST)).isFalse();
    assertThat(thaw(SECOND)).as("another life").isFalse();
    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.EXITED);
  }

  @Test
  void tellsThatOneEndedInItsSleepWhenItIsToBeThawed() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    node.runtime.exit(FIRST, 137, false);

    assertThat(thaw(FIRST)).isFalse();
    assertThat(told(FIRST, Report.Exited.class)).hasSize(1);
    assertThat(node.reports.all().getLast().subject().version()).isZero();
  }

  @Test
  void onesGuestThatDoesNotAnswerIsFrozenAgain() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    node.guests.silence(FIRST);
    int told = node.reports.all().size();

    assertThat(thaw(FIRST)).isFalse();
    assertThat(node.containers("sbx_a"))
        .extracting(FoundContainer::phase)
        .containsExactly(Phase.FROZEN);
    assertThat(node.reports.all()).hasSize(told);
  }

  @Test
  void tellsThatOneEndedInItsSleepWhileTheExecutorWasDown() throws Exception {
    node.carryOut(node.start(FIRST));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    node.reboot();
    node.runtime.exit(FIRST, 137, false);
    node.relisting();

    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> told(FIRST, Report.Exited.class).size() == 1);
    node.carryOut(new Order.Resume(node.subject(FIRST)));
    assertThat(told(FIRST, Report.Resumed.class)).hasSize(1);
  }

  @Test
  void takesARoundOfOrdersAgainAfterItWasKilled() throws Exception {
    node.carryOut(node.start(FIRST));
    Order.Suspend suspend = new Order.Suspend(node.subject(FIRST), Depth.STOPPED);
    node.carryOut(suspend);
    node.reboot();
    node.relisting();
    node.carryOut(suspend);

    assertThat(told(FIRST, Report.Suspended.class)).hasSize(2);
    assertThat(told(FIRST, Report.Exited.class)).isEmpty();
  }

  @Test
  void doesNotStartAnewWhatVanishedAfterItsStart() throws Exception {
    Order.Start start = node.start(FIRST);
    node.carryOut(start);
    node.reboot();
    node.runtime.remove(FIRST);
    node.carryOut(start);

    assertThat(told(FIRST, Report.Gone.class)).hasSize(1);
    assertNothingLeft();
  }

  @Test
  void waitsForTheLogBeforeAnOrderIsDone() throws Exception {
    node.reports.unreachable(true);
    CountDownLatch done = new CountDownLatch(1);
    node.process().node().lanes().submit(node.start(FIRST), done::countDown);

    await()
        .atMost(PATIENCE)
        .until(() -> node.containers("sbx_a").stream().anyMatch(c -> c.phase() == Phase.RUNNING));
    node.process().node().lanes().close();
    assertThat(done.getCount()).isEqualTo(1);
  }

  @Test
  void aStartThatIsDeliveredAgainCutsNothingOff() throws Exception {
    Order.Start start = node.start(FIRST);
    node.carryOut(start);
    node.reboot();
    node.relisting();
    Residents residents = node.process().residents();
    await()
        .atMost(PATIENCE)
        .until(() -> residents.get("sbx_a").filter(Resident::isInUse).isPresent());
    Resident resident = residents.get("sbx_a").orElseThrow();
    GuestChannel channel = resident.channel().orElseThrow();

    node.carryOut(start);

    assertThat(residents.get("sbx_a")).containsSame(resident);
    assertThat(resident.channel()).containsSame(channel);
    assertThat(told(FIRST, Report.Started.class)).hasSize(2);
  }

  @Test
  void tellsOfWhatEndedByItself() throws Exception {
    node.relisting();
    node.carryOut(node.start(FIRST));
    node.runtime.exit(FIRST, 137, true);

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(told(FIRST, Report.Exited.class)).hasSize(1));
    assertThat(told(FIRST, Report.Exited.class).getFirst().exit().oomKilled()).isTrue();
    assertThat(node.containers("sbx_a")).hasSize(1);
  }

  @Test
  void tellsOfWhatEndedWhileNobodyLooked() throws Exception {
    node.carryOut(node.start(FIRST));
    node.reboot();
    node.runtime.exit(FIRST, 1, false);
    node.relisting();

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(told(FIRST, Report.Exited.class)).hasSize(1));
  }

  @Test
  void asksAboutContainersItDoesNotKnowAndLeavesThemAlone() throws Exception {
    node.carryOut(node.start(FIRST));
    node.reboot();
    node.relisting();

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(told(FIRST, Report.Observed.class)).hasSize(1));
    assertThat(node.containers("sbx_a")).hasSize(1);
    node.process().node().relist().askAboutAll();
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(told(FIRST, Report.Observed.class)).hasSize(2));
  }

  @Test
  void tellsOfExecutionsThatTheLastProcessLeft() throws Exception {
    node.carryOut(node.start(FIRST));
    node.process().directories().executionBegins(FIRST, "exe_1");
    node.reboot();
    node.relisting();

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(told(FIRST, Report.ExecutionEnded.class))
                    .extracting(ended -> ended.end().executionId())
                    .containsExactly("exe_1"));
  }

  @Test
  void countsFrozenMemoryButNotItsProcessors() throws Exception {
    node.carryOut(
        new Order.Start(
            node.subject(FIRST),
            NodeScenario.IMAGE,
            new Limits(500, 1000),
            EgressPolicy.ALLOW_ALL));
    assertThat(node.process().residents().used()).isEqualTo(new Capacity(500, 1000, 1));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.FROZEN));
    assertThat(node.process().residents().used()).isEqualTo(new Capacity(0, 1000, 1));
    node.carryOut(new Order.Suspend(node.subject(FIRST), Depth.STOPPED));
    assertThat(node.process().residents().used()).isEqualTo(new Capacity(0, 0, 1));
  }
}
