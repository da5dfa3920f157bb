package io.sandglass.examples.billing;

import io.sandglass.schemas.UsageInterval;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.YearMonth;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The commands; see this example's README. */
public final class BillingConsumer {
  private static final String USAGE =
      """
      billing-consumer run                reads usage into the database, until it is ended
      billing-consumer invoices YYYY-MM   prints what every organization owes for a month
      billing-consumer cloudevents        prints all usage as CloudEvents, one a line, until it is ended
      Environment: KAFKA, DATABASE (a JDBC URL), PRICES (a file), SOURCE (of the CloudEvents)""";

  private static final Map<String, String> ENVIRONMENT = System.getenv();

  private BillingConsumer() {}

  public static void main(String[] arguments) throws Exception {
    String command = arguments.length == 0 ? "" : arguments[0];
    if (command.equals("run") && arguments.length == 1) {
      run();
    } else if (command.equals("invoices") && arguments.length == 2) {
      invoices(arguments[1]);
    } else if (command.equals("cloudevents") && arguments.length == 1) {
      cloudEvents();
    } else {
      System.err.println(USAGE);
      System.exit(2);
    }
  }

  /** May be killed at any time: the next one goes on where the last transaction ended. */
  private static void run() throws SQLException {
    try (Ledger ledger = Ledger.open(database());
        UsageReader reader = new UsageReader(kafka(), ledger::nextOffset)) {
      while (true) {
        for (UsageReader.Stretch stretch : reader.poll()) {
          ledger.write(stretch);
          System.out.printf(
              "read up to offset %d, complete through %s%n",
              stretch.to(), ledger.completeThrough().map(Object::toString).orElse("no time yet"));
        }
      }
    }
  }

  private static void invoices(String month) throws IOException, SQLException {
    YearMonth parsed;
    try {
      parsed = YearMonth.parse(month);
    } catch (DateTimeParseException e) {
      System.err.println("Not a month such as 2026-11: " + month);
      System.exit(2);
      return;
    }
    PriceList prices = PriceList.load(Optional.ofNullable(ENVIRONMENT.get("PRICES")).map(Path::of));
    try (Ledger ledger = Ledger.open(database())) {
      Invoices.print(ledger, prices, parsed, System.out);
    }
  }

  private static void cloudEvents() {
    CloudEventFormat format =
        new CloudEventFormat(ENVIRONMENT.getOrDefault("SOURCE", "urn:sandglass"));
    try (UsageReader reader = new UsageReader(kafka(), partition -> OptionalLong.empty())) {
      while (true) {
        for (UsageReader.Stretch stretch : reader.poll()) {
          for (UsageInterval interval : stretch.intervals()) {
            System.out.println(new String(format.json(interval), StandardCharsets.UTF_8));
          }
        }
      }
    }
  }

  private static String kafka() {
    return ENVIRONMENT.getOrDefault("KAFKA", "localhost:9092");
  }

  private static String database() {
    return ENVIRONMENT.getOrDefault("DATABASE", "jdbc:h2:file:./billing;WRITE_DELAY=0");
  }
}
