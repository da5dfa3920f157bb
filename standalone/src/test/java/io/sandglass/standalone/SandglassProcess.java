package io.sandglass.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * The packaged application in a process of its own, as {@code make up} starts it, on a data
 * directory and port of the test's. Can be killed and started again on the same directory.
 */
final class SandglassProcess implements AutoCloseable {
  private static final Duration START_DEADLINE = Duration.ofMinutes(2);

  private final Path data;
  private final int port;
  private final Map<String, String> environment;
  private final boolean measured;
  private Process process;

  private SandglassProcess(Path data, int port, Map<String, String> environment, boolean measured) {
    this.data = data;
    this.port = port;
    this.environment = environment;
    this.measured = measured;
  }

  static SandglassProcess start(Path data, Map<String, String> environment) {
    return start(data, environment, false);
  }

  /** With the compiler that a server has. */
  static SandglassProcess startMeasured(Path data, Map<String, String> environment) {
    return start(data, environment, true);
  }

  private static SandglassProcess start(
      Path data, Map<String, String> environment, boolean measured) {
    try {
      SandglassProcess sandglass =
          new SandglassProcess(data, FreePort.next(), environment, measured);
      sandglass.launch();
      sandglass.awaitReady();
      return sandglass;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static SandglassProcess start(Path data) {
    return start(data, Map.of());
  }

  /** Starts the process without waiting for it to be ready. */
  void launch() {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path jar = jar();
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            java.toString(),
            "-Xmx768m",
            "-XX:+UseParallelGC",
            "--enable-native-access=ALL-UNNAMED"));
    if (!measured) {
      command.addAll(PartProcess.SHORT_LIVED);
    }
    Path cache = Path.of(Containers.run("../bin/aot-cache").getFirst());
    if (Files.exists(cache)) {
      command.addAll(List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off"));
    }
    command.addAll(List.of("-jar", jar.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PORT", Integer.toString(port));
    builder.environment().put("DATA", data.toString());
    // Whoever wants containers started ahead says so.
    builder.environment().put("SANDGLASS_WARM", "");
    if (!measured) {
      // Each is made by every process, and most processes start few sandboxes.
      builder.environment().put("SANDGLASS_NETWORKS_AHEAD", "1");
    }
    builder.environment().putAll(environment);
    builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void awaitReady() {
    HttpRequest ready =
        HttpRequest.newBuilder(URI.create(url() + "/readyz"))
            .timeout(Duration.ofSeconds(5))
            .build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      Awaitility.await("readyz")
          .atMost(START_DEADLINE)
          .pollInterval(Duration.ofMillis(50))
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(
              () -> {
                if (!process.isAlive()) {
                  throw new AssertionError(
                      "Sandglass ended with " + process.exitValue() + ":\n" + logTail());
                }
                return http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200
                    && Files.exists(data.resolve("sandglass.env"));
              });
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(
          "Sandglass was not ready in " + START_DEADLINE + ":\n" + logTail(), e);
    }
  }

  /** Ends it as the kernel would: no shutdown hook, no flush. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Ends it as an operator would. */
  void stop() {
    process.destroy();
    if (!process.onExit().completeOnTimeout(null, 60, TimeUnit.SECONDS).join().equals(process)) {
      throw new AssertionError("Sandglass did not stop in 60 s:\n" + logTail());
    }
  }

  long pid() {
    return process.pid();
  }

  int port() {
    return port;
  }

  Path data() {
    return data;
  }

  Path log() {
    return data.resolve("sandglass-test.log");
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  /** What {@code sandglass.env} says. */
  Map<String, String> credentials() {
    try (Stream<String> lines = Files.lines(data.resolve("sandglass.env"))) {
      Map<String, String> values = new HashMap<>();
      lines
          .filter(line -> line.contains("="))
          .forEach(
              line ->
                  values.put(
                      line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1)));
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ApiClient client() {
    return new ApiClient(URI.create(url()), credentials().get("SANDGLASS_API_KEY"));
  }

  ApiClient admin() {
    return new ApiClient(URI.create(url()), credentials().get("SANDGLASS_ADMIN_KEY"));
  }

  /**
   * Also removes the containers of its sandboxes: the data directory that knows them is about to
   * go. Its log stays until the next {@code mvn clean}, for whoever looks into a failure.
   */
  @Override
  public void close() {
    kill();
    try {
      Files.copy(
          log(),
          Path.of("target", "sandglass-" + port + ".log"),
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Containers.removeAll(nodeId());
  }

  /** The node id its executor runs under: kept in the data directory. */
  String nodeId() {
    try {
      return Files.readString(data.resolve("node-id")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String logTail() {
    try {
      List<String> lines = Files.readAllLines(log());
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  private static Path jar() {
    Path target = Path.of("target");
    try (Stream<Path> files = Files.list(target)) {
      return files
          .filter(file -> file.getFileName().toString().matches("standalone-[0-9.]+\\.jar"))
          .findFirst()
          .orElseThrow(
              () ->
                  new AssertionError(
                      "No standalone jar in " + target.toAbsolutePath() + ": package first"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
