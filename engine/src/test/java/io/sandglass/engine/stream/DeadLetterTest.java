package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.scenario;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.DeadLetter;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.nio.ByteBuffer;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;

/** What can't be processed is put aside with its reason, and the rest goes on. */
class DeadLetterTest {

  @Test
  void garbage() {
    try (Scenario s = scenario().sendBytes(Topic.COMMANDS, "s1", "garbage".getBytes(UTF_8))) {
      DeadLetter letter = s.deadLetters().getFirst();
      assertThat(letter.getTopic()).isEqualTo("sandbox.commands");
      assertThat(letter.getPartition()).isZero();
      assertThat(letter.getOffset()).isZero();
      assertThat(letter.getKey()).isEqualTo(ByteBuffer.wrap("s1".getBytes(UTF_8)));
      assertThat(letter.getValue()).isEqualTo(ByteBuffer.wrap("garbage".getBytes(UTF_8)));
      assertThat(letter.getReason()).isEqualTo("no single-object header");
      s.running("s1").expect("s1", Status.RUNNING);
      assertThat(s.deadLetters()).hasSize(1);
    }
  }

  @Test
  void nothing() {
    try (Scenario s = scenario().sendBytes(Topic.COMMANDS, "s1", null)) {
      assertThat(s.deadLetters()).extracting(DeadLetter::getReason).containsExactly("no value");
    }
  }

  @Test
  void aSchemaOfALaterRelease() {
    try (Scenario s = scenario()) {
      byte[] bytes = WireFormat.encode(command("s1"));
      bytes[5] ^= 0x55;
      s.sendBytes(Topic.COMMANDS, "s1", bytes);
      assertThat(s.deadLetters().getFirst().getReason()).startsWith("unknown schema ");
      assertThat(s.outcomes()).isZero();
    }
  }

  @Test
  void anUnknownCode() {
    try (Scenario s = scenario().send(Orders.createMode("s1", "immortal"))) {
      assertThat(s.deadLetters().getFirst().getReason())
          .startsWith("CreateSandbox: mode \"immortal\"");
      s.expect("s1", Status.ABSENT);
    }
  }

  @Test
  void aKeyThatIsNotTheSandbox() {
    try (Scenario s =
        scenario().sendBytes(Topic.COMMANDS, "s2", WireFormat.encode(command("s1")))) {
      assertThat(s.deadLetters().getFirst().getReason()).isEqualTo("key is not the sandbox id s1");
      s.expect("s1", Status.ABSENT).expect("s2", Status.ABSENT);
    }
  }

  @Test
  void aHeartbeatThatIsNone() {
    try (Scenario s =
        scenario()
            .sendBytes(Topic.HEARTBEATS, "n2", "thump".getBytes(UTF_8))
            .sendBytes(Topic.HEARTBEATS, "n2", WireFormat.encode(command("s1")))) {
      assertThat(s.deadLetters())
          .extracting(DeadLetter::getReason)
          .containsExactly("no single-object header", "not a heartbeat: CreateSandbox");
      assertThat(s.nodeStatuses()).containsOnlyKeys("n1");
    }
  }

  private static SpecificRecord command(String id) {
    return Orders.create(id).record("cmd-x", Scenario.START);
  }
}
