package io.sandglass.api.store;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import io.sandglass.api.domain.DurationText;
import io.sandglass.api.domain.EgressMode;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.InstantText;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.SandboxSpec;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The JSON inside some columns. Facts are written in the form clients read them in. */
final class Json {
  private static final TypeReference<List<String>> STRINGS = new TypeReference<>() {};
  private static final TypeReference<LinkedHashMap<String, String>> PAIRS =
      new TypeReference<>() {};

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
          .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
          .addModule(
              new SimpleModule()
                  .addSerializer(Instant.class, text(Instant.class, InstantText::format))
                  .addSerializer(Duration.class, text(Duration.class, DurationText::format))
                  .addSerializer(Mode.class, text(Mode.class, Mode::text))
                  .addSerializer(EgressMode.class, text(EgressMode.class, EgressMode::text)))
          .addMixIn(EgressPolicy.class, EgressForm.class)
          .build();

  private Json() {}

  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private interface EgressForm {}

  static String write(Fact fact) {
    return text(fact instanceof Fact.SandboxRequested requested ? flat(requested) : fact);
  }

  static String write(List<String> names) {
    return text(names);
  }

  static String write(Map<String, String> pairs) {
    return text(pairs);
  }

  static String write(EgressPolicy policy) {
    return text(policy);
  }

  static List<String> strings(String json) {
    return read(json, STRINGS);
  }

  static Map<String, String> pairs(String json) {
    return read(json, PAIRS);
  }

  static EgressPolicy policy(String json) {
    EgressColumn column = read(json, new TypeReference<>() {});
    return new EgressPolicy(
        EgressMode.parse(column.mode()).orElseThrow(),
        column.allowCidrs() == null ? List.of() : column.allowCidrs(),
        column.denyCidrs() == null ? List.of() : column.denyCidrs(),
        column.allowPorts() == null ? List.of() : column.allowPorts());
  }

  private record EgressColumn(
      String mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {}

  private static Map<String, Object> flat(Fact.SandboxRequested requested) {
    SandboxSpec spec = requested.spec();
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("template", spec.template().name());
    data.put("image", spec.template().image());
    data.put("mode", spec.mode());
    data.put("size", spec.size().name());
    data.put("egress", spec.egress());
    data.put("timeout", spec.timeout());
    data.put("idle_timeout", spec.idleTimeout());
    data.put("expires_at", requested.expiresAt());
    data.put("env", spec.envNames());
    data.put("metadata", spec.metadata());
    data.values().removeIf(java.util.Objects::isNull);
    return data;
  }

  private static String text(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + value.getClass(), e);
    }
  }

  private static <T> T read(String json, TypeReference<T> type) {
    try {
      return MAPPER.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A column holds broken JSON", e);
    }
  }

  private static <T> StdSerializer<T> text(Class<T> type, Function<T, String> form) {
    return new StdSerializer<>(type) {
      @Override
      public void serialize(T value, JsonGenerator out, SerializerProvider provider)
          throws IOException {
        out.writeString(form.apply(value));
      }
    };
  }
}
