package io.sandglass.examples.billing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.schemas.Size;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private final ToldUsage usage = new ToldUsage(new Random(1));
  private Ledger ledger;

  @BeforeEach
  void open() throws SQLException {
    ledger = Ledger.open("jdbc:h2:mem:");
  }

  @AfterEach
  void close() throws SQLException {
    ledger.close();
  }

  @Test
  void whatIsToldTwiceIsWrittenOnce() throws SQLException {
    List<UsageInterval> told = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      told.addAll(usage.next());
    }
    List<UsageInterval> again = new ArrayList<>(told);
    Collections.shuffle(again, new Random(2));

    ledger.write(stretch(0, 150, told));
    ledger.write(stretch(150, 300, again));

    assertThat(millis()).isEqualTo(told.stream().mapToLong(UsageInterval::getDurationMs).sum());
    assertThat(told).anyMatch(interval -> interval.getReverses() != null);
    assertThat(ledger.nextOffset(0)).isEqualTo(OptionalLong.of(300));
  }

  @Test
  void whatCannotBeWrittenWholeIsNotWrittenAtAll() throws SQLException {
    ledger.write(stretch(0, 1, usage.next()));
    long before = millis();
    UsageInterval broken = interval("broken", "-".repeat(17), 1);
    List<UsageInterval> told = new ArrayList<>(usage.next());
    told.add(broken);

    assertThatThrownBy(() -> ledger.write(stretch(1, 3, told))).isInstanceOf(SQLException.class);

    assertThat(millis()).isEqualTo(before);
    assertThat(ledger.nextOffset(0)).isEqualTo(OptionalLong.of(1));
  }

  @Test
  void twoConsumersOfOneLedgerAreNoticed() throws SQLException {
    ledger.write(stretch(0, 10, usage.next()));
    long before = millis();

    assertThatThrownBy(() -> ledger.write(stretch(0, 12, usage.next())))
        .isInstanceOf(SQLException.class);

    assertThat(millis()).isEqualTo(before);
    assertThat(ledger.nextOffset(0)).isEqualTo(OptionalLong.of(10));
  }

  @Test
  void usageIsCompleteUpToWhereEveryPartitionIs() throws SQLException {
    assertThat(ledger.completeThrough()).isEmpty();
    complete(0, ToldUsage.END);
    assertThat(ledger.completeThrough()).isEmpty();
    complete(1, ToldUsage.BEGIN.plus(Duration.ofDays(1)));
    assertThat(ledger.completeThrough()).contains(ToldUsage.BEGIN.plus(Duration.ofDays(1)));

    // Computed anew: told from the beginning once more.
    complete(1, ToldUsage.BEGIN);
    assertThat(ledger.completeThrough()).contains(ToldUsage.BEGIN.plus(Duration.ofDays(1)));
  }

  @Test
  void anInvoiceHasASumForEachPriceAndSaysWhetherItIsFinal() throws Exception {
    ledger.write(
        stretch(
            0,
            3,
            List.of(
                interval("a", "running", 100 * 3_600_000L),
                interval("b", "running", -3_600_000L),
                interval("c", "stopped", 50 * 3_600_000L))));
    assertThat(invoices())
        .startsWith("Invoice for org_1, 2026-11 (provisional, complete through no");

    complete(0, ToldUsage.END);
    complete(1, ToldUsage.END);
    assertThat(invoices())
        .isEqualToNormalizingNewlines(
            """
            Invoice for org_1, 2026-11 (final)
              shared-cpu-1x    running      356400.000 s       0.59 EUR
              shared-cpu-1x    stopped      180000.000 s       0.01 EUR
              total                                            0.60 EUR
            """);
  }

  private String invoices() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Invoices.print(
        ledger,
        PriceList.load(Optional.empty()),
        YearMonth.of(2026, 11),
        new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  private static UsageInterval interval(String id, String state, long millis) {
    return new UsageInterval(
        id,
        "org_1",
        "sbx_1",
        "tpl_base",
        "base",
        new Size("shared-cpu-1x", 1_000, 256L << 20),
        state,
        ToldUsage.BEGIN,
        ToldUsage.BEGIN,
        millis,
        null);
  }

  private void complete(int partition, Instant through) throws SQLException {
    long next = ledger.nextOffset(0).orElse(0);
    ledger.write(
        new UsageReader.Stretch(
            0, next, next + 1, List.of(), List.of(new UsageWatermark(partition, 2, through))));
  }

  private static UsageReader.Stretch stretch(long from, long to, List<UsageInterval> intervals) {
    return new UsageReader.Stretch(0, from, to, intervals, List.of());
  }

  private long millis() throws SQLException {
    return ledger.lines(ToldUsage.BEGIN, ToldUsage.END).stream()
        .mapToLong(Ledger.Line::millis)
        .sum();
  }
}
