package io.sandglass.examples.billing;

import io.sandglass.schemas.Size;
import io.sandglass.schemas.UsageInterval;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Made-up usage of November 2026, in which now and then something is taken back and told anew. */
final class ToldUsage {
  static final Instant BEGIN = Instant.parse("2026-11-01T00:00:00Z");
  static final Instant END = Instant.parse("2026-12-01T00:00:00Z");

  private final Random random;
  private int pieces;

  ToldUsage(Random random) {
    this.random = random;
  }

  /** One interval; or one, its reversal, and a shorter one. */
  List<UsageInterval> next() {
    int piece = pieces++;
    Instant from = BEGIN.plus(Duration.ofHours(random.nextInt(720)));
    long hour = Duration.ofHours(1).toMillis();
    UsageInterval whole = interval(piece, "told", from, hour, null);
    List<UsageInterval> told = new ArrayList<>(List.of(whole));
    if (random.nextInt(10) == 0) {
      told.add(interval(piece, "reversed", from, -hour, whole.getIntervalId()));
      told.add(interval(piece, "shorter", from, 1 + random.nextInt((int) hour - 1), null));
    }
    return told;
  }

  private static UsageInterval interval(
      int piece, String part, Instant from, long millis, String reverses) {
    return new UsageInterval(
        UUID.nameUUIDFromBytes((part + piece).getBytes(StandardCharsets.UTF_8)).toString(),
        "org_" + piece % 5,
        "sbx_" + piece,
        "tpl_base",
        "base",
        new Size(piece % 3 == 0 ? "shared-cpu-1x" : "performance-2x", 1_000, 256L << 20),
        piece % 2 == 0 ? "running" : "frozen",
        from,
        from.plusMillis(Math.abs(millis)),
        millis,
        reverses);
  }
}
