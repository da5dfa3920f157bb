package io.sandglass.api.dataplane;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Calls a node to run something in one of its sandboxes. */
public final class DataPlane {
  /** How much longer than the execution's own timeout the node may take to tell its end. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final Duration CONNECT = Duration.ofSeconds(3);
  private static final int LARGEST_PROBLEM = 64 * 1024;

  private final HttpClient client;
  private final ScheduledExecutorService timer;
  private final String key;
  private final ObjectMapper json =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /**
   * @param timer cuts off nodes that never come to an end
   * @param key what nodes know us by
   */
  public DataPlane(ScheduledExecutorService timer, String key) {
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .build();
    this.timer = timer;
    this.key = key;
  }

  private record Body(
      String executionId,
      int incarnation,
      String command,
      long timeoutMs,
      String workdir,
      Map<String, String> env,
      String stdin) {}

  /** Runs it and collects its output; at most 10 MiB of each stream are kept. */
  public Run run(URI node, Execution execution, String requestId) {
    Duration limit = execution.timeout().plus(GRACE);
    HttpResponse<InputStream> response;
    try {
      response =
          client.send(
              request(node, execution, requestId, limit),
              HttpResponse.BodyHandlers.ofInputStream());
    } catch (ConnectException | HttpConnectTimeoutException e) {
      return new Run.NeverBegan(
          Run.Cause.NODE_UNAVAILABLE, "The sandbox's node cannot be reached.");
    } catch (IOException e) {
      return new Run.Unknown("The sandbox's node did not answer.");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Run.Unknown("Interrupted before the sandbox's node answered.");
    }
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        return refused(response.statusCode(), body.readNBytes(LARGEST_PROBLEM));
      }
      ScheduledFuture<?> cutOff =
          timer.schedule(() -> close(body), limit.toMillis(), TimeUnit.MILLISECONDS);
      try {
        return new FrameReader(json).read(body);
      } finally {
        cutOff.cancel(false);
      }
    } catch (IOException e) {
      return new Run.Unknown("The stream from the sandbox's node broke off.");
    }
  }

  private HttpRequest request(URI node, Execution execution, String requestId, Duration limit) {
    byte[] body;
    try {
      body =
          json.writeValueAsBytes(
              new Body(
                  execution.id(),
                  execution.incarnation(),
                  execution.command(),
                  execution.timeout().toMillis(),
                  execution.workdir(),
                  execution.env(),
                  execution.stdin()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + execution, e);
    }
    return HttpRequest.newBuilder(
            URI.create(
                stripSlash(node.toString())
                    + "/sandboxes/"
                    + execution.sandboxId()
                    + "/executions"))
        .header("Authorization", "Bearer " + key)
        .header("Content-Type", "application/json")
        .header("X-Request-Id", requestId)
        .timeout(limit)
        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
        .build();
  }

  /** What a node says before it starts anything. */
  private Run refused(int status, byte[] body) {
    String detail;
    String code;
    try {
      JsonNode problem = json.readTree(body);
      detail = problem.path("detail").asText("");
      code = problem.path("code").asText("");
    } catch (IOException e) {
      detail = "";
      code = "";
    }
    return switch (status) {
      case 404 -> new Run.NeverBegan(Run.Cause.NOT_RUNNING, "The sandbox's node does not hold it.");
      case 409 ->
          code.equals("not_running")
              ? new Run.NeverBegan(Run.Cause.NOT_RUNNING, detail)
              : new Run.Unknown("The sandbox's node has this execution already.");
      case 400 ->
          new Run.NeverBegan(
              Run.Cause.NOT_POSSIBLE, detail.isEmpty() ? "The sandbox's node refused it." : detail);
      case 429 ->
          new Run.NeverBegan(
              Run.Cause.TOO_MANY, "The sandbox's node runs as many executions as it can.");
      case 401, 403, 503 ->
          new Run.NeverBegan(
              Run.Cause.NODE_UNAVAILABLE,
              "The sandbox's node refused ("
                  + status
                  + ")"
                  + (detail.isEmpty() ? "." : ": " + detail));
      default -> new Run.Unknown("The sandbox's node answered with status " + status + ".");
    };
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // Its reader hears of it.
    }
  }

  private static String stripSlash(String url) {
    return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }
}
