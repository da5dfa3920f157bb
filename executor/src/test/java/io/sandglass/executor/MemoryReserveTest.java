package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.sandbox.Capacity;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MemoryReserveTest {
  private static final long MIB = 1 << 20;

  @TempDir Path data;

  private long missing(long given, long availableKib) throws Exception {
    Path meminfo =
        Files.writeString(
            data.resolve("meminfo"),
            """
            MemTotal:       %d kB
            MemFree:              1 kB
            MemAvailable:   %d kB
            """
                .formatted(2000 << 10, availableKib));
    return new MemoryReserve(
            new Capacity(1000, 1000 * MIB, 10), () -> new Capacity(0, given * MIB, 1), 10, meminfo)
        .getAsLong();
  }

  @Test
  void theScarcerOfTheTwoCounts() throws Exception {
    assertThat(missing(900, 200 << 10)).isZero();
    assertThat(missing(950, 1000 << 10)).isEqualTo(50 * MIB);
    assertThat(missing(0, 150 << 10)).isEqualTo(50 * MIB);
    assertThat(missing(500, 1000 << 10)).isNegative();
  }
}
