package io.sandglass.engine.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.ReportObserved;
import io.sandglass.schemas.ReportOrigin;
import io.sandglass.schemas.SandboxEnded;
import io.sandglass.schemas.SandboxStarted;
import io.sandglass.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;

/** What is not understood is said to be so, with a reason, and never guessed. */
class UnreadableTest {
  private static final CommandMeta META =
      new CommandMeta("cmd_1", "sbx_1", "org_1", "key:k", null, null, Instant.EPOCH, null);
  private static final EventMeta EVENT =
      new EventMeta(
          "sbx_1-1",
          "sbx_1",
          "org_1",
          1L,
          Instant.EPOCH,
          null,
          "command",
          "key:k",
          null,
          null,
          "running",
          1,
          "n1");

  private final CommandReader reader =
      new CommandReader(
          new Patience(
              Duration.ofSeconds(1),
              Duration.ofSeconds(1),
              Duration.ofSeconds(1),
              Duration.ofSeconds(1),
              Duration.ofSeconds(1),
              Duration.ofSeconds(1),
              1));

  @Test
  void noRecordAtAll() {
    assertThat(reader.read(null)).isEqualTo(new Incoming.Unreadable("no value"));
    assertUnreadable("hello".getBytes(StandardCharsets.UTF_8), "no single-object header");
  }

  @Test
  void aSchemaThisReleaseDoesNotKnow() {
    byte[] bytes = WireFormat.encode(new KeepAlive(META, 1L));
    bytes[2] ^= 1;
    assertUnreadable(bytes, "unknown schema ");
  }

  @Test
  void brokenInside() {
    byte[] bytes = WireFormat.encode(new KeepAlive(META, 1L));
    assertUnreadable(java.util.Arrays.copyOf(bytes, bytes.length - 3), "broken KeepAlive");
  }

  @Test
  void neitherCommandNorReport() {
    assertUnreadable(
        new SandboxStarted(EVENT, false), "SandboxStarted: neither a command nor a report");
  }

  @Test
  void unknownCodes() {
    assertUnreadable(
        new BeginExecution(META, "exe_1", "dance", "x", 1L, null),
        "unknown executionkind \"dance\"");
    assertUnreadable(
        new BeginExecution(META, "exe_1", "COMMAND", "x", 1L, null),
        "unknown executionkind \"COMMAND\"");
    assertUnreadable(
        new ReportObserved(META, new ReportOrigin("n1", 1, 0L), "melted"),
        "unknown phase \"melted\"");
  }

  @Test
  void durationsThatNoDateCanBeMovedBy() {
    for (long millis : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertUnreadable(new KeepAlive(META, millis), "timeout_ms is not a sensible duration");
    }
  }

  @Test
  void historiesStopAtWhatIsNotUnderstood() {
    assertThatThrownBy(() -> EventReader.read(new SandboxEnded(EVENT, "bored", "", null)))
        .isInstanceOf(UnreadableException.class)
        .hasMessage("unknown endreason \"bored\"");
    assertThatThrownBy(() -> EventReader.read(new KeepAlive(META, 1L)))
        .isInstanceOf(UnreadableException.class)
        .hasMessage("not an event: KeepAlive");
  }

  @Test
  void nodesOfAnotherKind() {
    assertThatThrownBy(
            () ->
                NodeRecords.readNode(
                    WireFormat.encode(new NodeStatus("n1", 0, "?", 1L, heartbeat("n1")))))
        .isInstanceOf(UnreadableException.class);
    assertThat(NodeRecords.readBeat(WireFormat.encode(heartbeat("N 1"))))
        .isEqualTo(new NodeRecords.Beat.Unreadable("NodeHeartbeat: not a node id: \"N 1\""));
    assertThat(NodeRecords.readBeat(WireFormat.encode(new KeepAlive(META, 1L))))
        .isEqualTo(new NodeRecords.Beat.Unreadable("not a heartbeat: KeepAlive"));
  }

  private static NodeHeartbeat heartbeat(String nodeId) {
    return new NodeHeartbeat(
        nodeId,
        "b1",
        "http://n1",
        1,
        1L,
        1,
        0,
        0L,
        0,
        List.of(),
        Map.of(),
        Instant.EPOCH,
        Map.of());
  }

  private void assertUnreadable(SpecificRecord record, String reason) {
    assertUnreadable(WireFormat.encode(record), reason);
  }

  private void assertUnreadable(byte[] bytes, String reason) {
    assertThat(reader.read(bytes))
        .isInstanceOfSatisfying(
            Incoming.Unreadable.class, read -> assertThat(read.reason()).contains(reason));
  }
}
