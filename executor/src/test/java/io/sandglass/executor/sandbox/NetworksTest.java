package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NetworksTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Life LIFE = new Life("sbx_a", 1);

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  @BeforeEach
  void begin() {
    node = NodeScenario.roomy(data);
  }

  private void awaitReady() {
    await().atMost(PATIENCE).until(() -> node.process().networks().ready() == NodeScenario.AHEAD);
  }

  private String address(Life life) {
    return node.runtime.find(life).flatMap(FoundContainer::address).orElseThrow();
  }

  @Test
  void aSandboxGetsOneThatIsReadyAndAnotherIsMade() throws Exception {
    node.relisting();
    awaitReady();
    var before = node.runtime.networks();

    node.carryOut(node.start(LIFE));

    assertThat(before).containsEntry(address(LIFE), true);
    awaitReady();
    assertThat(node.runtime.networks()).hasSize(NodeScenario.AHEAD + 1);
  }

  @Test
  void itGoesWithItsSandboxAndIsNobodyElses() throws Exception {
    node.relisting();
    awaitReady();
    node.carryOut(node.start(LIFE));
    String address = address(LIFE);

    node.carryOut(new Order.Stop(node.subject(LIFE)));

    await().atMost(PATIENCE).until(() -> !node.runtime.networks().containsKey(address));
    for (int i = 0; i < 2 * NodeScenario.AHEAD; i++) {
      Life other = new Life("sbx_other" + i, 1);
      node.carryOut(node.start(other));
      assertThat(address(other)).isNotEqualTo(address);
    }
  }

  @Test
  void aProcessRemovesWhatTheLastOneKeptReadyAndKeepsWhatSandboxesHave() throws Exception {
    node.relisting();
    awaitReady();
    node.carryOut(node.start(LIFE));
    awaitReady();
    var before = node.runtime.networks();

    node.reboot();
    node.relisting();

    awaitReady();
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(node.runtime.networks()).hasSize(NodeScenario.AHEAD + 1);
              assertThat(before.keySet())
                  .filteredOn(node.runtime.networks()::containsKey)
                  .containsExactly(address(LIFE));
            });
  }

  @Test
  void whatFailsIsRemovedAndTriedAgain() throws Exception {
    AtomicInteger failures = new AtomicInteger(2);
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("openNetwork") && failures.getAndDecrement() > 0) {
            throw new RuntimeUnavailableException("Docker is not there", null);
          }
        });
    node.relisting();

    awaitReady();
    await().atMost(PATIENCE).until(() -> node.runtime.networks().size() == NodeScenario.AHEAD);
  }

  @Test
  void oneThatCannotBeRemovedKeepsNoOtherFromBeingMade() throws Exception {
    node.relisting();
    awaitReady();
    AtomicInteger tries = new AtomicInteger();
    node.runtime.beforeEach(
        operation -> {
          if (operation.equals("closeNetwork")) {
            tries.incrementAndGet();
            throw new RuntimeUnavailableException("it is in use", null);
          }
        });
    node.carryOut(node.start(LIFE));
    String address = address(LIFE);
    awaitReady();
    node.carryOut(new Order.Stop(node.subject(LIFE)));
    await().atMost(PATIENCE).until(() -> tries.get() > 0);

    node.carryOut(node.start(new Life("sbx_b", 1)));
    awaitReady();

    assertThat(node.runtime.networks()).containsKey(address);
    node.runtime.beforeEach(operation -> {});
    await().atMost(PATIENCE).until(() -> !node.runtime.networks().containsKey(address));
  }

  @Test
  void aSandboxThatLostItsNetworkEndsAndSaysWhy() throws Exception {
    node.relisting();
    node.carryOut(node.start(LIFE));
    node.runtime.disconnect(address(LIFE));

    await().atMost(PATIENCE).until(() -> !node.reports.of(LIFE, Report.Exited.class).isEmpty());
    assertThat(node.reports.of(LIFE, Report.Exited.class).getFirst().detail())
        .contains("lost their network");
  }
}
