package io.sandglass.examples.billing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.provider.EventFormatProvider;
import io.cloudevents.jackson.JsonFormat;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.UsageInterval;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class CloudEventFormatTest {
  private static final UsageInterval INTERVAL =
      new UsageInterval(
          "9f21d5e1-ab74-5a68-94a4-2b790f829110",
          "org_1",
          "sbx_1",
          "tpl_1",
          "python",
          new Size("shared-cpu-1x", 1_000, 256L << 20),
          "running",
          Instant.parse("2026-11-25T10:30:00Z"),
          Instant.parse("2026-11-25T11:00:00Z"),
          1_800_000L,
          null);

  @Test
  void isACloudEventOfVersionOne() throws Exception {
    byte[] json = new CloudEventFormat("urn:sandglass:example").json(INTERVAL);

    CloudEvent event =
        EventFormatProvider.getInstance().resolveFormat(JsonFormat.CONTENT_TYPE).deserialize(json);
    assertThat(event.getSpecVersion().toString()).isEqualTo("1.0");
    assertThat(event.getId()).isEqualTo(INTERVAL.getIntervalId());
    assertThat(event.getSource()).hasToString("urn:sandglass:example");
    assertThat(event.getType()).isEqualTo("io.sandglass.usage.interval");
    assertThat(event.getDataContentType()).isEqualTo("application/json");
    assertThat(event.getSubject()).isEqualTo("sbx_1");
    assertThat(event.getTime().toInstant()).isEqualTo(INTERVAL.getTo());
    JsonNode data = new ObjectMapper().readTree(json).get("data");
    assertThat(data.get("duration_ms").asLong()).isEqualTo(1_800_000);
    assertThat(data.get("state").asText()).isEqualTo("running");
    assertThat(data.get("reverses").isNull()).isTrue();
  }
}
