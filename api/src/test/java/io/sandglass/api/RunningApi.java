package io.sandglass.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.domain.Ids;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** The API as it runs, on a free port, and a client for it. */
final class RunningApi {
  static final String ADMIN_KEY = "the-admin-key-of-these-tests";
  static final String DATA_PLANE_KEY = "the-data-plane-key-of-these-tests";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client = HttpClient.newHttpClient();
  private final Server server;
  private final Bootstrap bootstrap;
  private final String key;
  private final int port;

  private RunningApi(Server server, Bootstrap bootstrap, String key) {
    this.server = server;
    this.bootstrap = bootstrap;
    this.key = key;
    this.port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
  }

  /** An answer, with its body as JSON where it has one. */
  record Answer(int status, HttpResponse<String> response, JsonNode body) {
    String header(String name) {
      return response.headers().firstValue(name).orElse(null);
    }

    String text(String field) {
      return body.path(field).asText(null);
    }
  }

  static RunningApi start(Path data, LogConnector log, Map<String, String> more) throws Exception {
    Map<String, String> variables = new HashMap<>();
    variables.put("PORT", "0");
    variables.put("ADMIN_PORT", "0");
    variables.put("SANDGLASS_DATA_DIR", data.toString());
    variables.put("SANDGLASS_ADMIN_KEY", ADMIN_KEY);
    variables.put("SANDGLASS_DATA_PLANE_KEY", DATA_PLANE_KEY);
    variables.put("SANDGLASS_LOG_LEVEL", "WARN");
    // Without Kafka and containers, tests create more quickly than anybody.
    variables.put("SANDGLASS_QUOTA_CREATES", "100000");
    variables.putAll(more);
    AtomicReference<Server> started = new AtomicReference<>();
    ApiApplication application =
        new ApiApplication(
            variables,
            (configuration, lifecycle, store, listener, clock, ids) -> {
              lifecycle.addServerLifecycleListener(started::set);
              return log.connect(configuration, lifecycle, store, listener, clock, ids);
            },
            System.out,
            code -> {
              throw new AssertionError("The server ended with " + code);
            });
    application.run();
    Bootstrap bootstrap = application.bootstrap();
    String key =
        bootstrap
            .firstOrganization("tests")
            .orElseGet(() -> bootstrap.newKey(bootstrap.organizations().getFirst(), "tests"))
            .apiKey();
    return new RunningApi(started.get(), bootstrap, key);
  }

  Bootstrap bootstrap() {
    return bootstrap;
  }

  String key() {
    return key;
  }

  /** A sound key like another one, but of nobody: its secret is not the right one. */
  static String strange(String key) {
    String start =
        key.substring(0, key.length() - 8) + (key.charAt(key.length() - 8) == '0' ? "1" : "0");
    return start + Ids.checksum(start);
  }

  int port() {
    return port;
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
        .timeout(Duration.ofSeconds(60));
  }

  HttpRequest.Builder authorized(String path) {
    return request(path).header("Authorization", "Bearer " + key);
  }

  Answer get(String path) {
    return send(authorized(path).GET());
  }

  Answer delete(String path) {
    return send(authorized(path).DELETE());
  }

  Answer post(String path, String body, String... headers) {
    HttpRequest.Builder request =
        authorized(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return send(request);
  }

  Answer put(String path, String body) {
    return send(
        authorized(path)
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofString(body)));
  }

  Answer send(HttpRequest.Builder request) {
    try {
      HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
      String type = response.headers().firstValue("Content-Type").orElse("");
      return new Answer(
          response.statusCode(),
          response,
          type.contains("json") ? JSON.readTree(response.body()) : JSON.nullNode());
    } catch (IOException e) {
      throw new AssertionError("No answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("Interrupted", e);
    }
  }

  void stop() throws Exception {
    server.stop();
    client.close();
  }
}
