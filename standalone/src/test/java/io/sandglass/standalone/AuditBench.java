package io.sandglass.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.dropwizard.core.Application;
import io.dropwizard.testing.ConfigOverride;
import io.dropwizard.testing.DropwizardTestSupport;
import io.sandglass.api.ApiApplication;
import io.sandglass.api.ApiConfiguration;
import io.sandglass.api.Bootstrap;
import io.sandglass.engine.Console;
import io.sandglass.engine.EngineApplication;
import io.sandglass.engine.EngineConfiguration;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.Topic;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * How fast the whole log is checked and folded, beside a consumer that reads the same bytes and
 * does nothing with them; and how long one sandbox's past takes among all that. Not a test: it
 * asserts nothing about time. {@code make bench-audit EVENTS=…} runs it on a machine that does
 * nothing else.
 */
class AuditBench {
  private static final int EVENTS = Integer.getInteger("sandglass.bench.events", 200_000);
  private static final int OF_A_LIFE = 4;

  /** One sandbox that is kept alive again and again. */
  private static final int OF_THE_LONG_LIFE = Math.min(10_000, EVENTS / 10);

  private static final int LIVES = (EVENTS - OF_THE_LONG_LIFE) / OF_A_LIFE;
  private static final int LONG_LIFE = LIVES;
  private static final int LEAST = LIVES * OF_A_LIFE + OF_THE_LONG_LIFE;

  /** How far the engine may be behind: what it is late for should not be the node's silence. */
  private static final int AHEAD = 20_000;

  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final Duration SILENCE = Duration.ofSeconds(2);
  private static final int MANY = 500;
  private static final PrintStream OUT = System.out;

  /** How many there are: an engine that is late asks again, and has more to tell. */
  private int events;

  @Test
  void measure(@TempDir Path data) throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("kafka"))) {
      String bootstrap = broker.bootstrapServers();
      String database =
          "jdbc:h2:file:"
              + data.resolve("database")
              + ";MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;DEFAULT_NULL_ORDERING=HIGH;WRITE_DELAY=0";
      Map<String, String> settings = new HashMap<>();
      settings.put("SANDGLASS_KAFKA", bootstrap);
      settings.put("SANDGLASS_DATA_DIR", data.resolve("own").toString());
      settings.put("SANDGLASS_DB_URL", database);
      settings.put("SANDGLASS_PARTITIONS", "4");
      settings.put("SANDGLASS_DATA_PLANE_KEY", "bench");
      settings.put("SANDGLASS_LOG_LEVEL", "ERROR");
      settings.put("SANDGLASS_USAGE", "false");
      settings.put("PORT", "0");
      settings.put("ADMIN_PORT", "0");
      Bootstrap.Credentials owner = write(settings);

      OUT.printf("%-46s %9s %9s %7s%n", "", "seconds", "events/s", "ratio");
      quiet();
      events = read(bootstrap);
      double floor = rate("a consumer that only reads (floor)", () -> read(bootstrap));
      rate("audit verify", floor, () -> tool(settings, "audit", "verify"));
      rate("verify", floor, () -> tool(settings, "verify"));
      rate(
          "rebuild-projection, with its hash (H2)",
          floor,
          () -> new ApiApplication(settings).run("rebuild-projection"));
      quiet();
      ask(settings, database, owner);
    }
  }

  // ---- the log ----

  /** Has an engine write the log, for an organization of the API's. */
  private static Bootstrap.Credentials write(Map<String, String> settings) throws Exception {
    var engine =
        new DropwizardTestSupport<>(
            EngineApplication.class,
            "engine.yml",
            "bench",
            // What is measured is the reading: the log is to be written quickly, and in silence.
            ConfigOverride.config("bench", "kafka.commitInterval", "100ms"),
            ConfigOverride.config("bench", "logging.level", "ERROR")) {
          @Override
          public Application<EngineConfiguration> newApplication() {
            return new EngineApplication(settings);
          }
        };
    engine.before();
    try {
      Bootstrap.Credentials owner =
          serving(settings, (_, bootstrap) -> bootstrap.firstOrganization("bench").orElseThrow());
      quiet();
      live(settings.get("SANDGLASS_KAFKA"), owner.organizationId());
      return owner;
    } finally {
      engine.after();
    }
  }

  private static void live(String bootstrap, String org) throws Exception {
    try (var node = Lives.producer(bootstrap);
        var producer = Lives.producer(bootstrap);
        var consumer = consumer(bootstrap);
        ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor()) {
      var beating = Lives.beat(heart, node);
      Awaitility.await("the node's slot")
          .atMost(PATIENCE)
          .until(() -> !Lives.records(bootstrap, Topic.NODES.topicName()).isEmpty());
      consumer.assign(partitions(consumer));
      long begun = System.nanoTime();
      int sent = 0;
      int written = 0;
      for (List<Supplier<ProducerRecord<String, SpecificRecord>>> life = longLife(org);
          sent < LEAST;
          life = life((sent - OF_THE_LONG_LIFE) / OF_A_LIFE, org)) {
        life.forEach(command -> say(producer, command.get()));
        sent += life.size();
        while (written < sent - AHEAD) {
          written += more(consumer, written);
        }
      }
      while (written < LEAST) {
        written += more(consumer, written);
      }
      double seconds = (System.nanoTime() - begun) / 1e9;
      OUT.printf(
          Locale.ROOT, "an engine wrote %d events, %.0f a second%n", written, written / seconds);
      while (consumer.poll(SILENCE).count() > 0) {
        // What it asked for a second time.
      }
      beating.cancel(true);
    }
  }

  private static int more(KafkaConsumer<byte[], byte[]> consumer, int written) {
    int more = consumer.poll(PATIENCE).count();
    if (more == 0) {
      throw new IllegalStateException("The engine stopped after " + written + " events");
    }
    return more;
  }

  /** Applications that have ended leave logging as it is by default. */
  private static void quiet() {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.ERROR);
  }

  private static List<Supplier<ProducerRecord<String, SpecificRecord>>> life(
      int number, String org) {
    return List.of(
        () -> Lives.create(number, org),
        () -> Lives.started(number),
        () -> Lives.destroy(number, org),
        () -> Lives.gone(number));
  }

  private static List<Supplier<ProducerRecord<String, SpecificRecord>>> longLife(String org) {
    List<Supplier<ProducerRecord<String, SpecificRecord>>> life =
        new ArrayList<>(life(LONG_LIFE, org));
    for (int turn = 0; turn < OF_THE_LONG_LIFE - OF_A_LIFE; turn++) {
      int which = turn;
      life.add(2, () -> Lives.keepAlive(LONG_LIFE, org, which));
    }
    return life;
  }

  /** As one that waits for no answer: nobody reads them. */
  private static void say(
      KafkaProducer<String, SpecificRecord> producer,
      ProducerRecord<String, SpecificRecord> command) {
    CommandMeta meta = (CommandMeta) command.value().get(0);
    command.value().put(0, CommandMeta.newBuilder(meta).setReplyPartition(null).build());
    var _ = producer.send(command);
  }

  private static int read(String bootstrap) {
    try (var consumer = consumer(bootstrap)) {
      List<TopicPartition> partitions = partitions(consumer);
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      int read = 0;
      while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        read += consumer.poll(SILENCE).count();
      }
      return read;
    }
  }

  /** From the beginning: it is of no group. */
  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap) {
    return new KafkaConsumer<>(
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ConsumerConfig.ISOLATION_LEVEL_CONFIG,
            "read_committed",
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "earliest",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            false,
            ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
            5_000),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static List<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> consumer) {
    return consumer.partitionsFor(Topic.EVENTS.topicName()).stream()
        .map(info -> new TopicPartition(info.topic(), info.partition()))
        .toList();
  }

  // ---- all of it ----

  private static void tool(Map<String, String> settings, String... arguments) throws Exception {
    AtomicInteger code = new AtomicInteger(-1);
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, UTF_8);
    new EngineApplication(settings, new Console(OUT, nowhere, code::set)).run(arguments);
    if (code.get() != 0) {
      throw new IllegalStateException(String.join(" ", arguments) + " ended with " + code);
    }
  }

  private double rate(String what, Times.Step step) throws Exception {
    double seconds = Times.once(step) / 1000;
    OUT.printf(Locale.ROOT, "%-46s %9.1f %9.0f%n", what, seconds, events / seconds);
    return events / seconds;
  }

  private void rate(String what, double floor, Times.Step step) throws Exception {
    double seconds = Times.once(step) / 1000;
    double rate = events / seconds;
    OUT.printf(Locale.ROOT, "%-46s %9.1f %9.0f %7.2f%n", what, seconds, rate, rate / floor);
  }

  // ---- one sandbox's past ----

  private static void ask(
      Map<String, String> settings, String database, Bootstrap.Credentials owner) throws Exception {
    try (Connection connection = DriverManager.getConnection(database, "sandglass", "")) {
      serving(
          settings,
          (url, _) -> {
            ApiClient api = new ApiClient(url, owner.apiKey());
            Awaitility.await("the projection")
                .atMost(Duration.ofMinutes(10))
                .until(() -> api.get("/readyz").status() == 200);
            ask(api, connection);
            return null;
          });
    }
  }

  private static void ask(ApiClient api, Connection database) throws Exception {
    Random random = new Random(1);
    Supplier<String> old = () -> Lives.sandbox(random.nextInt(LIVES / 10));
    Supplier<String> oneThatLivedLong = () -> Lives.sandbox(LONG_LIFE);
    Times select = times(() -> select(database, old.get()));
    Times young = times(() -> get(api, Lives.sandbox(LIVES - 1), ""));
    Instant now = Instant.now();
    Instant then = began(api, LONG_LIFE).plusMillis(1);
    Instant between = then.plus(Duration.between(then, ended(api, LONG_LIFE)).dividedBy(2));

    Times.heading();
    select.report("SELECT by primary key (floor)");
    young.report("GET of the youngest sandbox (floor)");
    times(() -> get(api, old.get(), "/events")).report("history of one of long ago", young);
    times(() -> get(api, old.get(), "?at=" + now)).report("?at= of one of long ago", young);
    String many = " of one with " + OF_THE_LONG_LIFE + " events";
    times(() -> get(api, oneThatLivedLong.get(), "/events")).report("history" + many, young);
    times(
            () ->
                get(
                    api,
                    oneThatLivedLong.get(),
                    "/events?after=" + random.nextInt(OF_THE_LONG_LIFE - 100)))
        .report("history anywhere" + many, young);
    times(() -> get(api, oneThatLivedLong.get(), "?at=" + now)).report("?at=, end," + many, young);
    times(() -> get(api, oneThatLivedLong.get(), "?at=" + between))
        .report("?at=, middle," + many, young);
  }

  private static Instant began(ApiClient api, int number) {
    return time(api, number, "created_at");
  }

  private static Instant ended(ApiClient api, int number) {
    return time(api, number, "destroyed_at");
  }

  private static Instant time(ApiClient api, int number, String field) {
    return Instant.parse(api.get("/v1/sandboxes/" + Lives.sandbox(number)).expect(200).text(field));
  }

  private static Times times(Times.Step step) throws Exception {
    Times.of(MANY, step);
    return Times.of(MANY, step);
  }

  private static void get(ApiClient api, String id, String more) {
    api.get("/v1/sandboxes/" + id + more).expect(200);
  }

  private static void select(Connection database, String id) throws Exception {
    try (PreparedStatement statement =
        database.prepareStatement("SELECT * FROM sandboxes WHERE id = ?")) {
      statement.setString(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          throw new IllegalStateException("There is no " + id);
        }
      }
    }
  }

  /** What is done with an API that runs. */
  private interface Service<T> {
    T use(URI url, Bootstrap bootstrap) throws Exception;
  }

  private static <T> T serving(Map<String, String> settings, Service<T> service) throws Exception {
    ApiApplication served = new ApiApplication(settings);
    var api =
        new DropwizardTestSupport<ApiConfiguration>(ApiApplication.class, "/api.yml") {
          @Override
          public Application<ApiConfiguration> newApplication() {
            return served;
          }
        };
    api.before();
    try {
      return service.use(URI.create("http://127.0.0.1:" + api.getLocalPort()), served.bootstrap());
    } finally {
      api.after();
    }
  }
}
