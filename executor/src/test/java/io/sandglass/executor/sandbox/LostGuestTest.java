package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.execution.CommandRequest;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.runtime.Life;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls under which the guest is lost, before anybody notices that its container has ended. */
final class LostGuestTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Well before the patience with a container's end is over. */
  private static final long SOON_SECONDS = 5;

  private static final Life LIFE = new Life("sbx_a", 1);

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  private Executions executions;
  private Resident resident;

  @BeforeEach
  void start() throws Exception {
    node = NodeScenario.roomy(data);
    node.carryOut(node.start(LIFE));
    node.relisting();
    node.guests.behave((request, sink) -> new GuestAnswer.Broken("gone"));
    executions = node.process().executions();
    resident = node.process().residents().get("sbx_a").orElseThrow();
  }

  private Void run() throws InterruptedException {
    var request = new CommandRequest("exe_a", "true", "/", Map.of(), Duration.ofSeconds(5));
    var admitted =
        (Executions.Admission.Admitted) executions.admit(LIFE, request, Optional.of("req-1"));
    assertThat(admitted.execution().run((stream, bytes, offset, length) -> {}).failure())
        .hasValue("broken: gone");
    return null;
  }

  private Void upload() {
    var request = new Transfers.Request(LIFE, "exe_a", "/broken", 10, Optional.of("req-1"));
    assertThatThrownBy(
            () ->
                new Transfers(executions, 1).upload(request, new ByteArrayInputStream(new byte[1])))
        .isInstanceOf(FileException.class);
    return null;
  }

  /** Whether there is a way to the guest when the call is answered. */
  private FutureTask<Boolean> begin(Callable<Void> call) {
    return new FutureTask<>(
        () -> {
          call.call();
          return resident.channel().isPresent();
        });
  }

  private void assertAnsweredAfterTheContainersEnd(Callable<Void> call) throws Exception {
    node.guests.silence(LIFE);
    FutureTask<Boolean> answer = begin(call);
    Thread caller = Thread.ofVirtual().start(answer);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                node.reports.of(LIFE, Report.ExecutionEnded.class).size() == 1
                    && caller.getState() == Thread.State.TIMED_WAITING);

    node.runtime.exit(LIFE, 137, false);

    assertThat(answer.get(SOON_SECONDS, TimeUnit.SECONDS)).isFalse();
    await().atMost(PATIENCE).until(() -> node.reports.of(LIFE, Report.Exited.class).size() == 1);
  }

  @Test
  void aCommandIsAnsweredWhenTheContainersEndIsNoticed() throws Exception {
    assertAnsweredAfterTheContainersEnd(this::run);
  }

  @Test
  void anUploadIsAnsweredWhenTheContainersEndIsNoticed() throws Exception {
    assertAnsweredAfterTheContainersEnd(this::upload);
  }

  @Test
  void whereTheGuestIsThereAgainNobodyWaits() throws Exception {
    FutureTask<Boolean> answer = begin(this::run);
    Thread.ofVirtual().start(answer);

    assertThat(answer.get(SOON_SECONDS, TimeUnit.SECONDS)).isTrue();
  }
}
