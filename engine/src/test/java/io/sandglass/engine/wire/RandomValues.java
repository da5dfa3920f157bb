package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Spec;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** Random values of any record or sealed type, by its shape; the same for the same seed. */
final class RandomValues {
  private final Random random;

  RandomValues(long seed) {
    this.random = new Random(seed);
  }

  <T> T of(Class<T> type) {
    return type.cast(value(type));
  }

  String string() {
    String alphabet = "abcXYZ019-_./: \"é漢\n";
    return random
        .ints(random.nextInt(12), 0, alphabet.length())
        .mapToObj(i -> String.valueOf(alphabet.charAt(i)))
        .collect(Collectors.joining());
  }

  private Object value(Type type) {
    if (type instanceof ParameterizedType generic) {
      return generic(generic);
    }
    Class<?> plain = (Class<?>) type;
    if (plain == String.class) {
      return string();
    }
    if (plain == int.class || plain == Integer.class) {
      return random.nextInt(1_000_000);
    }
    if (plain == long.class || plain == Long.class) {
      return random.nextLong(1L << 50);
    }
    if (plain == boolean.class) {
      return random.nextBoolean();
    }
    if (plain == Instant.class) {
      return Instant.ofEpochMilli(random.nextLong(1L << 42));
    }
    if (plain == Duration.class) {
      return Duration.ofMillis(1 + random.nextLong(86_400_000));
    }
    if (plain.isEnum()) {
      return plain.getEnumConstants()[random.nextInt(plain.getEnumConstants().length)];
    }
    if (plain.isSealed()) {
      Class<?>[] permitted = plain.getPermittedSubclasses();
      return value(permitted[random.nextInt(permitted.length)]);
    }
    if (plain.isRecord()) {
      return record(plain);
    }
    throw new AssertionError("No idea how to make a " + type);
  }

  private Object generic(ParameterizedType type) {
    Type first = type.getActualTypeArguments()[0];
    Class<?> raw = (Class<?>) type.getRawType();
    if (raw == Optional.class) {
      return random.nextBoolean() ? Optional.of(value(first)) : Optional.empty();
    }
    if (raw == List.class || raw == Set.class) {
      List<Object> list = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        list.add(value(first));
      }
      return raw == List.class ? list : Set.copyOf(list);
    }
    if (raw == Map.class) {
      Map<Object, Object> map = new HashMap<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        map.put(value(first), value(type.getActualTypeArguments()[1]));
      }
      return map;
    }
    throw new AssertionError("No idea how to make a " + type);
  }

  private Object record(Class<?> type) {
    try {
      RecordComponent[] components = type.getRecordComponents();
      Class<?>[] types = new Class<?>[components.length];
      Object[] values = new Object[components.length];
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        values[i] =
            type == Spec.class && components[i].getName().equals("envSealed")
                ? sealed()
                : value(components[i].getGenericType());
      }
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** Base64, as the one who puts it in promises. */
  private Optional<String> sealed() {
    return random.nextBoolean()
        ? Optional.of(Base64.getEncoder().encodeToString(string().getBytes(StandardCharsets.UTF_8)))
        : Optional.empty();
  }
}
