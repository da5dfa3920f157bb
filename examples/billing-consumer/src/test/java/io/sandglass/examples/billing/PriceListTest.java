package io.sandglass.examples.billing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PriceListTest {
  private static final long HOUR = 3_600_000;

  @Test
  void pricesAreByTheHourAndRoundedOnce() throws Exception {
    PriceList prices = PriceList.load(Optional.empty());

    assertThat(prices.amount(line("shared-cpu-1x", "running", 100 * HOUR)))
        .isEqualByComparingTo("0.60");
    assertThat(prices.amount(line("huge", "frozen", 5 * HOUR / 2))).isEqualByComparingTo("0.01");
    assertThat(prices.amount(line("huge", "frozen", 5 * HOUR / 2 - 1))).isEqualByComparingTo("0");
  }

  @Test
  void theListIsAFileOfOnesOwn(@TempDir Path directory) throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("prices"), "currency = CHF\nshared-cpu-1x.running = 3.6\n");
    PriceList prices = PriceList.load(Optional.of(file));

    assertThat(prices.currency()).isEqualTo("CHF");
    assertThat(prices.amount(line("shared-cpu-1x", "running", 10_000)))
        .isEqualByComparingTo("0.01");
    assertThatThrownBy(() -> prices.amount(line("shared-cpu-1x", "stopped", HOUR)))
        .hasMessage("The price list lacks default.stopped");
  }

  private static Ledger.Line line(String size, String state, long millis) {
    return new Ledger.Line("org_1", size, state, millis);
  }
}
