package io.sandglass.examples.billing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import io.sandglass.schemas.WireFormat;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.kafka.KafkaContainer;

/** The consumer as a process, on a real broker, killed over and over while usage is told. */
class BillingConsumerIT {
  private static final int KILLS = Integer.getInteger("sandglass.kills", 10);
  private static final int BATCH = 50;
  private static final Duration HOUR = Duration.ofHours(1);

  private final Random random = new Random(7);
  private final ToldUsage usage = new ToldUsage(random);

  /** What was committed, by id. */
  private final Map<String, UsageInterval> told = new LinkedHashMap<>();

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void killedTwentyTimesItStaysExact(@TempDir Path directory) throws Exception {
    String database = "jdbc:h2:file:" + directory.resolve("billing") + ";WRITE_DELAY=0";
    String undisturbed = "jdbc:h2:file:" + directory.resolve("undisturbed");
    try (KafkaContainer kafka = new KafkaContainer("apache/kafka:4.3.1")) {
      kafka.start();
      String bootstrap = kafka.getBootstrapServers();
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
        Topics.ensure(admin, 2, 1, (short) 1);
      }
      try (Producer<String, SpecificRecord> producer = producer(bootstrap)) {
        producer.initTransactions();
        for (int kill = 0; kill < KILLS; kill++) {
          tell(producer, 4);
          Process consumer = consumer(bootstrap, database);
          try (BufferedReader lines = consumer.inputReader()) {
            assertThat(lines.readLine()).startsWith("read up to offset ");
            // It has work while it is killed, wherever in its work that is.
            tell(producer, 4);
            LockSupport.parkNanos(random.nextLong(20_000_000));
          } finally {
            consumer.destroyForcibly().onExit().join();
          }
        }
        completeThrough(producer, ToldUsage.BEGIN.plus(HOUR));
      }

      readAll(bootstrap, undisturbed);
      Process consumer = consumer(bootstrap, database);
      try {
        untilComplete(consumer);
      } finally {
        consumer.destroyForcibly().onExit().join();
      }
    }

    assertThat(rows(database))
        .isEqualTo(rows(undisturbed))
        .isEqualTo(
            told.values().stream()
                .collect(
                    Collectors.toMap(
                        UsageInterval::getIntervalId,
                        interval ->
                            interval.getOrgId()
                                + " "
                                + interval.getDurationMs()
                                + " "
                                + interval.getReverses(),
                        (one, other) -> one,
                        TreeMap::new)));
    assertThat(told.values()).anyMatch(interval -> interval.getReverses() != null);
    try (Ledger ledger = Ledger.open(database)) {
      assertThat(ledger.completeThrough()).contains(ToldUsage.BEGIN.plus(HOUR));
      assertThat(sums(ledger)).isEqualTo(expectedSums());
    }
  }

  /** Transactions, of which one in eight is aborted; some things are told twice. */
  private void tell(Producer<String, SpecificRecord> producer, int transactions) {
    for (int transaction = 0; transaction < transactions; transaction++) {
      producer.beginTransaction();
      List<UsageInterval> intervals = new ArrayList<>();
      while (intervals.size() < BATCH) {
        intervals.addAll(usage.next());
      }
      told.values().stream()
          .skip(told.isEmpty() ? 0 : random.nextInt(told.size()))
          .limit(3)
          .forEach(intervals::add);
      intervals.forEach(interval -> send(producer, interval.getOrgId(), interval));
      send(producer, null, new UsageWatermark(0, 2, ToldUsage.BEGIN));
      if (random.nextInt(8) == 0) {
        producer.abortTransaction();
      } else {
        producer.commitTransaction();
        intervals.forEach(interval -> told.put(interval.getIntervalId(), interval));
      }
    }
  }

  private static void completeThrough(Producer<String, SpecificRecord> producer, Instant through) {
    producer.beginTransaction();
    send(producer, null, new UsageWatermark(0, 2, through.plusMillis(1)));
    send(producer, null, new UsageWatermark(1, 2, through));
    producer.commitTransaction();
  }

  private static void send(
      Producer<String, SpecificRecord> producer, String key, SpecificRecord record) {
    var unused = producer.send(new ProducerRecord<>(Topic.USAGE.topicName(), key, record));
  }

  private static Producer<String, SpecificRecord> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            "usage"),
        new StringSerializer(),
        WireFormat.serializer());
  }

  private static void readAll(String bootstrap, String database) throws SQLException {
    try (Ledger ledger = Ledger.open(database);
        UsageReader reader = new UsageReader(bootstrap, ledger::nextOffset)) {
      while (ledger.completeThrough().isEmpty()) {
        for (UsageReader.Stretch stretch : reader.poll()) {
          ledger.write(stretch);
        }
      }
    }
  }

  private static void untilComplete(Process consumer) throws IOException {
    try (BufferedReader lines = consumer.inputReader()) {
      String line = lines.readLine();
      while (line != null && line.endsWith("no time yet")) {
        line = lines.readLine();
      }
      assertThat(line).endsWith("complete through " + ToldUsage.BEGIN.plus(HOUR));
    }
  }

  private static Process consumer(String bootstrap, String database) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            // What starts quickly.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            BillingConsumer.class.getName(),
            "run");
    builder.environment().put("KAFKA", bootstrap);
    builder.environment().put("DATABASE", database);
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static Map<String, String> rows(String database) throws SQLException {
    Map<String, String> rows = new TreeMap<>();
    try (Connection connection = DriverManager.getConnection(database);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT interval_id, org_id, duration_ms, reverses FROM intervals")) {
      while (row.next()) {
        rows.put(
            row.getString(1), row.getString(2) + " " + row.getLong(3) + " " + row.getString(4));
      }
    }
    return rows;
  }

  private static Map<String, Long> sums(Ledger ledger) throws SQLException {
    return ledger.lines(ToldUsage.BEGIN, ToldUsage.END).stream()
        .collect(
            Collectors.toMap(
                line -> line.organization() + " " + line.size() + " " + line.state(),
                Ledger.Line::millis));
  }

  private Map<String, Long> expectedSums() {
    return told.values().stream()
        .collect(
            Collectors.groupingBy(
                interval ->
                    interval.getOrgId()
                        + " "
                        + interval.getSize().getName()
                        + " "
                        + interval.getState(),
                Collectors.summingLong(UsageInterval::getDurationMs)));
  }
}
