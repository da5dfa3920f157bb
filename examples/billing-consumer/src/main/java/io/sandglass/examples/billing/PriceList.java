package io.sandglass.examples.billing;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/** What an hour costs, by size and state. */
final class PriceList {
  private static final BigDecimal HOUR_MILLIS = BigDecimal.valueOf(3_600_000);

  private final Properties prices;

  private PriceList(Properties prices) {
    this.prices = prices;
  }

  /**
   * Reads one.
   *
   * @param file empty for the list that comes with this example
   */
  static PriceList load(Optional<Path> file) throws IOException {
    Properties prices = new Properties();
    try (InputStream in =
        file.isPresent()
            ? Files.newInputStream(file.get())
            : PriceList.class.getResourceAsStream("/prices.properties")) {
      prices.load(in);
    }
    return new PriceList(prices);
  }

  String currency() {
    return price("currency", "currency");
  }

  /** Rounded once for each line, half up to the cent. */
  BigDecimal amount(Ledger.Line line) {
    String price = price(line.size() + "." + line.state(), "default." + line.state());
    return new BigDecimal(price)
        .multiply(BigDecimal.valueOf(line.millis()))
        .divide(HOUR_MILLIS, 2, RoundingMode.HALF_UP);
  }

  private String price(String name, String otherwise) {
    String value = prices.getProperty(name, prices.getProperty(otherwise));
    if (value == null) {
      throw new IllegalStateException("The price list lacks " + otherwise);
    }
    return value;
  }
}
