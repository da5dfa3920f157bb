package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.engine.Console;
import io.sandglass.engine.EngineApplication;
import io.sandglass.schemas.Topic;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.MountableFile;

/**
 * Engine, executor, api and tools with a broker that talks TLS alone, to those with a certificate,
 * and lets each do what docs/security.md says it needs, and nothing else.
 */
class KafkaTlsIT {
  private static final String PASSWORD = "not-much-of-a-secret";
  private static final String NODE = "it-tls";
  private static final List<String> PARTS = List.of("engine", "executor", "api");
  private static final Pattern ROW =
      Pattern.compile(
          "\\| (?<part>engine|executor|api)(, and its tools)? \\| (?<operations>[a-z, ]+)"
              + " \\| (?<resource>topic|group|transactional id) \\| `(?<name>[^`]+)` \\|");
  private static final String ADMIN_KEY = "the-administrator-of-this-test-alone";

  @TempDir Path data;

  @Test
  void aSandboxRunsAndStrangersAreTurnedAway() throws Exception {
    String host = DockerClientFactory.instance().dockerHostIpAddress();
    certificates((Character.isDigit(host.charAt(0)) ? "ip:" : "dns:") + host);
    List<Process> processes = new ArrayList<>();
    try (KafkaContainer kafka = broker()) {
      kafka.start();
      grantWhatIsDocumented(kafka);
      int executorPort = FreePort.next();
      int apiPort = FreePort.next();
      try {
        processes.add(start("engine", kafka, 0, Map.of("SANDGLASS_SLOTS", "1")));
        processes.add(
            start(
                "executor",
                kafka,
                executorPort,
                Map.of(
                    "SANDGLASS_NODE_ID",
                    NODE,
                    "SANDGLASS_ADVERTISED_URL",
                    "http://127.0.0.1:" + executorPort)));
        processes.add(start("api", kafka, apiPort, Map.of("SANDGLASS_ADMIN_KEY", ADMIN_KEY)));
        URI url = URI.create("http://127.0.0.1:" + apiPort);
        ApiClient api = caller(new ApiClient(url, ADMIN_KEY));

        String id = api.create("{\"template\": \"base\"}");
        assertThat(api.execute(id, "echo alive").expect(200).text("stdout")).isEqualTo("alive\n");
        api.destroy(id);
        assertThat(auditOf(kafka)).isZero();
        assertTheEngineAloneWritesTheLog(kafka);
        assertTurnedAway(kafka);
      } finally {
        for (Process process : processes) {
          process.destroyForcibly().onExit().join();
        }
        Containers.removeAll(NODE);
      }
    }
  }

  private String file(String name) {
    return data.resolve(name).toString();
  }

  /** What a client is told that shows this certificate. */
  private Map<String, String> tls(String whose) {
    return Map.of(
        "security.protocol",
        "SSL",
        "ssl.truststore.location",
        file("trusted.p12"),
        "ssl.truststore.password",
        PASSWORD,
        "ssl.keystore.location",
        file(whose + ".p12"),
        "ssl.keystore.password",
        PASSWORD);
  }

  private Map<String, Object> client(KafkaContainer kafka, String whose) {
    Map<String, Object> config = new HashMap<>(tls(whose));
    config.put("bootstrap.servers", kafka.getBootstrapServers());
    return config;
  }

  /** The rows of the table. */
  private void grantWhatIsDocumented(KafkaContainer kafka) throws Exception {
    List<AclBinding> rights;
    try (Stream<String> lines = Files.lines(Path.of("..", "docs", "security.md"))) {
      rights =
          lines.map(ROW::matcher).filter(Matcher::matches).flatMap(KafkaTlsIT::rights).toList();
    }
    assertThat(rights).hasSizeGreaterThan(PARTS.size());
    try (Admin admin = Admin.create(client(kafka, "operator"))) {
      admin.createAcls(rights).all().get();
    }
  }

  private static Stream<AclBinding> rights(MatchResult row) {
    String name = row.group("name");
    boolean prefix = name.endsWith("*");
    ResourcePattern resource =
        new ResourcePattern(
            ResourceType.fromString(row.group("resource").replace(' ', '_')),
            prefix ? name.substring(0, name.length() - 1) : name,
            prefix ? PatternType.PREFIXED : PatternType.LITERAL);
    return Arrays.stream(row.group("operations").split(", "))
        .map(AclOperation::fromString)
        .map(
            operation ->
                new AclBinding(
                    resource,
                    new AccessControlEntry(
                        "User:CN=" + row.group("part"), "*", operation, AclPermissionType.ALLOW)));
  }

  /** For the broker, the parts, and who sets up the broker; and what all of them trust. */
  private void certificates(String name) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    for (String whose : Stream.concat(Stream.of("broker", "operator"), PARTS.stream()).toList()) {
      File own = data.resolve(whose + ".p12").toFile();
      Containers.run(
          Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
          "-genkeypair",
          "-alias",
          whose,
          "-keyalg",
          "EC",
          "-dname",
          "CN=" + whose,
          "-ext",
          "SAN=" + name,
          "-keystore",
          own.toString(),
          "-storepass",
          PASSWORD);
      trusted.setCertificateEntry(
          whose, KeyStore.getInstance(own, PASSWORD.toCharArray()).getCertificate(whose));
    }
    try (OutputStream file = Files.newOutputStream(data.resolve("trusted.p12"))) {
      trusted.store(file, PASSWORD.toCharArray());
    }
  }

  private KafkaContainer broker() {
    return new KafkaContainer("apache/kafka:4.3.1")
        .withCopyFileToContainer(
            MountableFile.forHostPath(file("broker.p12"), 0644), "/tls/broker.p12")
        .withCopyFileToContainer(
            MountableFile.forHostPath(file("trusted.p12"), 0644), "/tls/trusted.p12")
        // The listener that clients reach is called so, whatever it talks.
        .withEnv(
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            "BROKER:PLAINTEXT,PLAINTEXT:SSL,CONTROLLER:PLAINTEXT")
        .withEnv("KAFKA_SSL_CLIENT_AUTH", "required")
        .withEnv(
            "KAFKA_AUTHORIZER_CLASS_NAME",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
        // Broker and controller, which here talk to each other without TLS, and the operator.
        .withEnv("KAFKA_SUPER_USERS", "User:ANONYMOUS;User:CN=operator")
        .withEnv("KAFKA_SSL_KEYSTORE_LOCATION", "/tls/broker.p12")
        .withEnv("KAFKA_SSL_KEYSTORE_PASSWORD", PASSWORD)
        .withEnv("KAFKA_SSL_TRUSTSTORE_LOCATION", "/tls/trusted.p12")
        .withEnv("KAFKA_SSL_TRUSTSTORE_PASSWORD", PASSWORD);
  }

  private Map<String, String> settings(String part, KafkaContainer kafka, int port) {
    return Map.of(
        "SANDGLASS_KAFKA",
        kafka.getBootstrapServers(),
        "SANDGLASS_KAFKA_CLIENTS",
        tls(part).entrySet().stream()
            .map(entry -> entry.getKey() + ": " + entry.getValue())
            .collect(Collectors.joining(", ")),
        "SANDGLASS_DATA_PLANE_KEY",
        "between-api-and-executor",
        "SANDGLASS_DATA_DIR",
        data.resolve(part).toString(),
        "PORT",
        Integer.toString(port),
        "ADMIN_PORT",
        "0");
  }

  private Process start(String part, KafkaContainer kafka, int port, Map<String, String> own)
      throws IOException {
    Map<String, String> environment = new HashMap<>(settings(part, kafka, port));
    environment.putAll(own);
    return PartProcess.start(part, data.resolve(part + ".log"), environment);
  }

  /** Of an organization of the test's, once the api is there. */
  private ApiClient caller(ApiClient admin) {
    try {
      Awaitility.await("readyz")
          .atMost(Duration.ofMinutes(2))
          .ignoreExceptions()
          .until(() -> admin.get("/readyz").status() == 200);
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(logs(), e);
    }
    return admin.clientOf(admin.organization("tls"));
  }

  private String logs() {
    StringBuilder logs = new StringBuilder();
    for (String part : PARTS) {
      try {
        logs.append(Files.readString(data.resolve(part + ".log")));
      } catch (IOException e) {
        logs.append(e);
      }
    }
    return logs.toString();
  }

  private int auditOf(KafkaContainer kafka) throws Exception {
    AtomicInteger code = new AtomicInteger(-1);
    try (PrintStream nowhere = new PrintStream(PrintStream.nullOutputStream())) {
      new EngineApplication(settings("engine", kafka, 0), new Console(nowhere, nowhere, code::set))
          .run("audit", "verify");
    }
    return code.get();
  }

  private void assertTheEngineAloneWritesTheLog(KafkaContainer kafka) {
    for (String part : List.of("executor", "api")) {
      try (Producer<byte[], byte[]> producer =
          new KafkaProducer<>(
              client(kafka, part), new ByteArraySerializer(), new ByteArraySerializer())) {
        assertThatThrownBy(
                () ->
                    producer
                        .send(
                            new ProducerRecord<>(
                                Topic.EVENTS.topicName(), new byte[1], new byte[1]))
                        .get())
            .as(part)
            .hasCauseInstanceOf(TopicAuthorizationException.class);
      }
    }
  }

  private void assertTurnedAway(KafkaContainer kafka) {
    Map<String, Object> stranger = client(kafka, "api");
    stranger.keySet().removeIf(name -> name.startsWith("ssl.keystore"));
    try (Admin admin = Admin.create(stranger)) {
      assertThatThrownBy(() -> admin.describeCluster().nodes().get())
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(SslAuthenticationException.class);
    }
  }
}
