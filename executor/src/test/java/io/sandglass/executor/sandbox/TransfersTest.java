package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.RecentExecutions;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Executions.Admission.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TransfersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Life LIFE = new Life("sbx_a", 1);

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  private Executions executions;
  private Transfers transfers;

  @BeforeEach
  void begin() throws Exception {
    node = NodeScenario.roomy(data);
    node.carryOut(node.start(LIFE));
    executions =
        new Executions(
            node.process().residents(),
            node.process().directories(),
            node.reports,
            new RecentExecutions(Duration.ofMinutes(10), InstantSource.system()),
            new Executions.Limits(2, 1000));
    transfers = new Transfers(executions, 3);
  }

  @AfterEach
  void end() {
    executions.close();
  }

  private static Transfers.Request request(Life life, String id, String path) {
    return new Transfers.Request(life, id, path, 10, Optional.of("req-1"));
  }

  private static InputStream content(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private List<ExecutionEnd> told() {
    return node.reports.of(LIFE, Report.ExecutionEnded.class).stream()
        .map(Report.ExecutionEnded::end)
        .toList();
  }

  private ExecutionEnd toldOf(String id) {
    await().atMost(PATIENCE).until(() -> told().stream().anyMatch(e -> e.executionId().equals(id)));
    return told().stream().filter(e -> e.executionId().equals(id)).findFirst().orElseThrow();
  }

  private static void denied(ThrowingCallable call, Reason reason) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            Transfers.DeniedException.class,
            e -> assertThat(e.denied().reason()).isEqualTo(reason));
  }

  @Test
  void bothWaysAreToldOnceWithTheirBytes() throws Exception {
    transfers.upload(request(LIFE, "exe_up", "/f"), content("hello"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Transfers.Opened opened = transfers.open(request(LIFE, "exe_down", "/f"));
    assertThat(opened.size()).isEqualTo(5);
    opened.copyTo(out);

    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("hello");
    assertThat(told())
        .as("told before the caller has its answer")
        .extracting(ExecutionEnd::executionId)
        .containsExactly("exe_up", "exe_down");
    for (String id : List.of("exe_up", "exe_down")) {
      ExecutionEnd end = toldOf(id);
      assertThat(end.fileBytes()).isEqualTo(5);
      assertThat(end.failure()).isEmpty();
      assertThat(end.exitCode()).isEmpty();
    }
    await()
        .atMost(PATIENCE)
        .until(() -> node.process().directories().untoldExecutions(LIFE).isEmpty());
    assertThat(told()).hasSize(2);
  }

  @Test
  void aLogThatCanNotBeReachedIsNotWaitedForAndToldLater() throws Exception {
    node.reports.unreachable(true);
    transfers.upload(request(LIFE, "exe_up", "/f"), content("hello"));
    assertThat(node.process().directories().untoldExecutions(LIFE)).containsExactly("exe_up");
  }

  @Test
  void failuresAreToldAndLeaveTheirPlaces() throws Exception {
    for (int i = 0; i < 5; i++) {
      String id = "exe_" + i;
      assertThatThrownBy(() -> transfers.open(request(LIFE, id, "/none")))
          .isInstanceOf(FileException.class);
      assertThat(toldOf(id).failure().orElseThrow()).startsWith("not_found: ");
    }
    assertThatThrownBy(
            () -> transfers.upload(request(LIFE, "exe_large", "/f"), content("x".repeat(11))))
        .isInstanceOf(FileException.class);
    assertThat(toldOf("exe_large").failure().orElseThrow()).startsWith("too_large: ");
    assertThat(node.guests.files()).isEmpty();
  }

  @Test
  void aCallerThatGoesAwayIsToldAsSuch() throws Exception {
    InputStream broken =
        new FilterInputStream(InputStream.nullInputStream()) {
          @Override
          public int read(byte[] to, int offset, int length) throws IOException {
            throw new IOException("gone");
          }
        };
    assertThatThrownBy(() -> transfers.upload(request(LIFE, "exe_up", "/f"), broken))
        .isExactlyInstanceOf(IOException.class);
    assertThat(toldOf("exe_up").failure().orElseThrow()).startsWith("aborted: ");
    assertThat(node.guests.files()).isEmpty();

    node.guests.files().put("/f", new byte[3]);
    OutputStream closed =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("gone");
          }
        };
    Transfers.Opened opened = transfers.open(request(LIFE, "exe_down", "/f"));
    assertThatThrownBy(() -> opened.copyTo(closed)).isExactlyInstanceOf(IOException.class);
    assertThat(toldOf("exe_down").failure().orElseThrow()).startsWith("aborted: ");
  }

  @Test
  void whatBreaksInTheSandboxIsToldAsSuch() throws Exception {
    node.guests.files().put("/broken", new byte[8]);
    Transfers.Opened opened = transfers.open(request(LIFE, "exe_down", "/broken"));
    assertThatThrownBy(() -> opened.copyTo(OutputStream.nullOutputStream()))
        .isInstanceOf(FileException.class);
    assertThat(toldOf("exe_down").failure().orElseThrow()).startsWith("broken: ");
    assertThatThrownBy(() -> transfers.upload(request(LIFE, "exe_up", "/broken"), content("hello")))
        .isInstanceOf(FileException.class);
    assertThat(toldOf("exe_up").failure().orElseThrow()).startsWith("broken: ");
  }

  @Test
  void isLetInAsExecutionsAre() throws Exception {
    node.guests.files().put("/f", new byte[3]);
    denied(
        () -> transfers.open(request(new Life("sbx_b", 1), "exe_1", "/f")), Reason.UNKNOWN_SANDBOX);
    denied(() -> transfers.open(request(new Life("sbx_a", 2), "exe_1", "/f")), Reason.NOT_RUNNING);
    denied(() -> transfers.list(new Life("sbx_a", 2), "/", new byte[0], 1), Reason.NOT_RUNNING);

    Transfers.Opened first = transfers.open(request(LIFE, "exe_1", "/f"));
    denied(() -> transfers.open(request(LIFE, "exe_1", "/f")), Reason.ALREADY_STARTED);
    Transfers.Opened second = transfers.open(request(LIFE, "exe_2", "/f"));
    denied(() -> transfers.open(request(LIFE, "exe_3", "/f")), Reason.TOO_MANY);
    denied(() -> transfers.list(LIFE, "/", new byte[0], 1), Reason.TOO_MANY);
    first.copyTo(OutputStream.nullOutputStream());
    second.copyTo(OutputStream.nullOutputStream());
    assertThat(transfers.list(LIFE, "/", new byte[0], 1).entries()).isEmpty();

    node.carryOut(new Order.Suspend(node.subject(LIFE), Depth.FROZEN));
    denied(() -> transfers.open(request(LIFE, "exe_4", "/f")), Reason.NOT_RUNNING);
    denied(() -> transfers.list(LIFE, "/", new byte[0], 1), Reason.NOT_RUNNING);
  }

  @Test
  void theNodeHasPlacesToo() throws Exception {
    node.guests.files().put("/f", new byte[3]);
    Transfers one = new Transfers(executions, 1);
    Transfers.Opened opened = one.open(request(LIFE, "exe_1", "/f"));
    denied(() -> one.open(request(LIFE, "exe_2", "/f")), Reason.TOO_MANY);
    denied(() -> one.list(LIFE, "/", new byte[0], 1), Reason.TOO_MANY);
    opened.copyTo(OutputStream.nullOutputStream());
    one.open(request(LIFE, "exe_3", "/f")).copyTo(OutputStream.nullOutputStream());
  }
}
