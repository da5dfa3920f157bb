package io.sandglass.examples.billing;

import java.io.PrintStream;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What organizations owe for a month. */
final class Invoices {
  private Invoices() {}

  static void print(Ledger ledger, PriceList prices, YearMonth month, PrintStream out)
      throws SQLException {
    Instant from = month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    Instant to = month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    // First: what it promises is there for every statement from now on.
    Optional<Instant> complete = ledger.completeThrough();
    String standing =
        complete.filter(through -> !through.isBefore(to)).isPresent()
            ? "final"
            : "provisional, complete through "
                + complete.map(Instant::toString).orElse("no time yet");
    Map<String, List<Ledger.Line>> organizations =
        ledger.lines(from, to).stream()
            .collect(
                Collectors.groupingBy(
                    Ledger.Line::organization, LinkedHashMap::new, Collectors.toList()));
    organizations.forEach(
        (organization, lines) -> {
          out.printf(Locale.ROOT, "Invoice for %s, %s (%s)%n", organization, month, standing);
          BigDecimal total = BigDecimal.ZERO;
          for (Ledger.Line line : lines) {
            BigDecimal amount = prices.amount(line);
            total = total.add(amount);
            out.printf(
                Locale.ROOT,
                "  %-16s %-8s %14s s %10s %s%n",
                line.size(),
                line.state(),
                BigDecimal.valueOf(line.millis(), 3),
                amount,
                prices.currency());
          }
          out.printf(Locale.ROOT, "  %-25s %16s %10s %s%n", "total", "", total, prices.currency());
        });
  }
}
