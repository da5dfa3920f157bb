package io.sandglass.engine.wire;

import java.util.Locale;

/** Closed codes on the wire: {@code START_FAILED} is {@code "start_failed"}. */
final class Codes {
  private Codes() {}

  static String of(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  static <E extends Enum<E>> E read(Class<E> type, String code) {
    for (E value : type.getEnumConstants()) {
      if (of(value).equals(code)) {
        return value;
      }
    }
    throw new UnreadableException(
        "unknown %s \"%s\"".formatted(type.getSimpleName().toLowerCase(Locale.ROOT), code));
  }
}
