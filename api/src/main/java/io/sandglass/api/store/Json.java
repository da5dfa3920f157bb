package io.sandglass.api.store;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
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
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The JSON inside some columns. Facts are written in the form clients read them in. */
final class Json {
  private static final TypeReference<List<String>> STRINGS = new TypeReference<>() {};
  private static final TypeReference<LinkedHashMap<String, String>> PAIRS =
      new TypeReference<>() {};

  private static final Map<String, Class<? extends Fact>> FACTS =
      Stream.of(Fact.class.getPermittedSubclasses())
          .collect(
              Collectors.toUnmodifiableMap(
                  Class::getSimpleName, type -> type.asSubclass(Fact.class)));

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
                  .addSerializer(EgressMode.class, text(EgressMode.class, EgressMode::text))
                  .addDeserializer(
                      Instant.class,
                      read(Instant.class, in -> Instant.parse(in.getValueAsString())))
                  .addDeserializer(
                      Duration.class,
                      read(
                          Duration.class,
                          in -> DurationText.parse(in.getValueAsString()).orElse(Duration.ZERO)))
                  .addDeserializer(
                      EgressPolicy.class,
                      read(EgressPolicy.class, in -> policy(in.readValueAs(EgressColumn.class)))))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
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

  /**
   * A fact as {@link #write(Fact)} wrote it; durations to the second.
   *
   * @param spec of the sandbox, from which what a request does not repeat is taken
   */
  static Fact fact(String type, String json, SandboxSpec spec) {
    if (type.equals(Fact.SandboxRequested.class.getSimpleName())) {
      RequestedColumn column = read(json, new TypeReference<>() {});
      return new Fact.SandboxRequested(spec.withEgress(column.egress()), column.expiresAt());
    }
    try {
      return MAPPER.readValue(json, FACTS.get(type));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A column holds a broken " + type, e);
    }
  }

  static List<String> strings(String json) {
    return read(json, STRINGS);
  }

  static Map<String, String> pairs(String json) {
    return read(json, PAIRS);
  }

  static EgressPolicy policy(String json) {
    return policy(Json.<EgressColumn>read(json, new TypeReference<>() {}));
  }

  private static EgressPolicy policy(EgressColumn column) {
    return new EgressPolicy(
        EgressMode.parse(column.mode()).orElseThrow(),
        column.allowCidrs() == null ? List.of() : column.allowCidrs(),
        column.denyCidrs() == null ? List.of() : column.denyCidrs(),
        column.allowPorts() == null ? List.of() : column.allowPorts());
  }

  private record EgressColumn(
      String mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {}

  private record RequestedColumn(EgressPolicy egress, Instant expiresAt) {}

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
    data.values().removeIf(Objects::isNull);
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

  private interface Reading<T> {
    T read(JsonParser in) throws IOException;
  }

  private static <T> StdDeserializer<T> read(Class<T> type, Reading<T> reading) {
    return new StdDeserializer<>(type) {
      @Override
      public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
        return reading.read(in);
      }
    };
  }
}
