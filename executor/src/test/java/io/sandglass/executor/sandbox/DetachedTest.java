package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.execution.CommandRequest;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.runtime.Life;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Executions that outlive their caller and this process. */
@Timeout(60)
class DetachedTest {
  private static final Life LIFE = new Life("sbx_1", 1);
  private static final GuestAnswer SEVEN = new GuestAnswer.Exited(7, false, Duration.ofMillis(20));

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  @BeforeEach
  void start() throws Exception {
    node = NodeScenario.roomy(data).relisting();
    node.carryOut(node.start(LIFE));
    assertThat(begin("exe_1")).isInstanceOf(Detached.Start.Running.class);
  }

  private Detached.Start begin(String id) throws InterruptedException {
    CommandRequest request =
        new CommandRequest(id, "work", "", Map.of(), Duration.ofHours(1), Optional.empty(), true);
    return node.process().detached().start(LIFE, request, Optional.of("req_1"));
  }

  private List<ExecutionEnd> told() {
    return node.reports.all().stream()
        .map(Report::content)
        .filter(Report.ExecutionEnded.class::isInstance)
        .map(content -> ((Report.ExecutionEnded) content).end())
        .toList();
  }

  private ExecutionEnd awaitTold() {
    await().until(() -> node.process().directories().untoldExecutions(LIFE).isEmpty());
    assertThat(told()).hasSize(1);
    return told().getFirst();
  }

  private boolean held() {
    return !node.process().residents().get(LIFE.sandboxId()).orElseThrow().beginSuspending();
  }

  @Test
  void itsEndIsToldAndUntilThenTheSandboxStaysAwake() {
    assertThat(held()).isTrue();
    node.guests.detached().get("exe_1").complete(SEVEN);
    ExecutionEnd end = awaitTold();
    assertThat(end.exitCode()).hasValue(7);
    assertThat(end.stdoutBytes()).isEqualTo(3);
    assertThat(held()).isFalse();
  }

  @Test
  void theNextProcessTakesItUpAndTellsItsEndOnce() throws Exception {
    node.reboot();
    node.relisting();
    await().until(this::held);
    assertThat(told()).isEmpty();
    assertThat(begin("exe_1")).isInstanceOf(Detached.Start.Denied.class);

    node.guests.detached().get("exe_1").complete(SEVEN);

    assertThat(awaitTold().exitCode()).hasValue(7);
  }

  @Test
  void whatTheGuestNoLongerKnowsIsLostAndHasNoCode() throws Exception {
    node.guests.detached().clear();
    node.reboot();
    node.relisting();
    ExecutionEnd end = awaitTold();
    assertThat(end.exitCode()).isEmpty();
    assertThat(end.failure()).hasValue("lost: the sandbox no longer knows it");
  }

  @Test
  void killingItIsAnEndLikeAnother() throws Exception {
    assertThat(node.process().detached().kill(LIFE, "exe_1"))
        .hasValueSatisfying(answer -> assertThat(answer).isInstanceOf(GuestAnswer.Aborted.class));
    ExecutionEnd end = awaitTold();
    assertThat(end.exitCode()).hasValue(137);
    assertThat(end.failure()).hasValue("killed: on request");
  }

  @Test
  void theGuestKeepsTheLastSixteenWhoeverHeardOfTheirEnd() throws Exception {
    endOneAfterTheOther(1, 12);
    node.reboot();
    node.relisting();
    await().until(() -> node.process().residents().get(LIFE.sandboxId()).isPresent());
    endOneAfterTheOther(13, 20);

    await()
        .untilAsserted(
            () ->
                assertThat(node.guests.detached().keySet())
                    .containsExactlyInAnyOrderElementsOf(
                        IntStream.rangeClosed(5, 20).mapToObj(number -> "exe_" + number).toList()));
  }

  private void endOneAfterTheOther(int first, int last) {
    for (int number = first; number <= last; number++) {
      String id = "exe_" + number;
      await()
          .until(
              () ->
                  node.guests.detached().containsKey(id)
                      || begin(id) instanceof Detached.Start.Running);
      node.guests.detached().get(id).complete(SEVEN);
      await().until(() -> node.process().directories().keptExecutions(LIFE).contains(id));
    }
  }
}
