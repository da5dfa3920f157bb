package io.sandglass.examples.billing;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.format.EventFormat;
import io.cloudevents.core.provider.EventFormatProvider;
import io.cloudevents.jackson.JsonCloudEventData;
import io.cloudevents.jackson.JsonFormat;
import io.sandglass.schemas.UsageInterval;
import java.net.URI;
import java.time.ZoneOffset;

/** Usage for whoever takes CloudEvents 1.0 rather than Avro. */
final class CloudEventFormat {
  static final String TYPE = "io.sandglass.usage.interval";

  private final URI source;
  private final EventFormat json =
      EventFormatProvider.getInstance().resolveFormat(JsonFormat.CONTENT_TYPE);

  /**
   * The envelope of one installation's usage.
   *
   * @param source names the installation, a URI: with the interval's id, unique everywhere
   */
  CloudEventFormat(String source) {
    this.source = URI.create(source);
  }

  byte[] json(UsageInterval interval) {
    return json.serialize(
        CloudEventBuilder.v1()
            .withId(interval.getIntervalId())
            .withSource(source)
            .withType(TYPE)
            .withSubject(interval.getSandboxId())
            .withTime(interval.getTo().atOffset(ZoneOffset.UTC))
            .withData("application/json", JsonCloudEventData.wrap(data(interval)))
            .build());
  }

  private static ObjectNode data(UsageInterval interval) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("organization_id", interval.getOrgId())
        .put("sandbox_id", interval.getSandboxId())
        .put("template_id", interval.getTemplateId())
        .put("template", interval.getTemplateName())
        .put("size", interval.getSize().getName())
        .put("cpu_millis", interval.getSize().getCpuMillis())
        .put("memory_bytes", interval.getSize().getMemoryBytes())
        .put("state", interval.getState())
        .put("from", interval.getFrom().toString())
        .put("to", interval.getTo().toString())
        .put("duration_ms", interval.getDurationMs())
        .put("reverses", interval.getReverses());
  }
}
