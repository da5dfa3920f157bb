package io.sandglass.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageEncoder;
import org.junit.jupiter.api.Test;

class WireFormatTest {
  private static final CommandOutcome OUTCOME =
      CommandOutcome.newBuilder()
          .setCommandId("c1")
          .setSandboxId("sbx_1")
          .setOrgId("org_1")
          .setRequestId(null)
          .setAccepted(false)
          .setCode("not_running")
          .setDetail("Expected running, but it is suspended")
          .setVersion(7)
          .setAt(Instant.parse("2026-01-02T03:04:05.678Z"))
          .build();

  @Test
  void aRecordRoundTrips() {
    assertThat(WireFormat.decode(WireFormat.encode(OUTCOME))).isEqualTo(new Decoded.Known(OUTCOME));
  }

  @Test
  void aSchemaOutsideTheHistoryIsUnknownAndNotGuessed() throws Exception {
    Schema newer =
        new Schema.Parser()
            .parse(
                """
                {"type": "record", "name": "CommandOutcome", "namespace": "io.sandglass.schemas",
                 "fields": [{"name": "command_id", "type": "string"}, {"name": "novel", "type": "long"}]}
                """);
    GenericRecord record = new GenericData.Record(newer);
    record.put("command_id", "c1");
    record.put("novel", 1L);
    byte[] bytes =
        new BinaryMessageEncoder<GenericRecord>(GenericData.get(), newer).encode(record).array();

    assertThat(WireFormat.decode(bytes)).isInstanceOf(Decoded.Unknown.class);
  }

  @Test
  void truncatedAndRandomBytesAreToldApartFromRecords() {
    byte[] whole = WireFormat.encode(OUTCOME);
    for (int length = 0; length < whole.length; length++) {
      assertThat(WireFormat.decode(Arrays.copyOf(whole, length)))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(Decoded.Malformed.class);
    }
    Random random = new Random(42);
    for (int i = 0; i < 1_000; i++) {
      byte[] noise = new byte[random.nextInt(64)];
      random.nextBytes(noise);
      assertThat(WireFormat.decode(noise)).isNotInstanceOf(Decoded.Known.class);
    }
  }

  @Test
  void anIncompleteRecordIsRefusedWithItsName() {
    assertThatThrownBy(() -> WireFormat.encode(new CommandOutcome()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("CommandOutcome");
  }
}
