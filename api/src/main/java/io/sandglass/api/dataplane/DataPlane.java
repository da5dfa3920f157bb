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
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;

/** Calls a node to run something in one of its sandboxes. */
public final class DataPlane {
  /** A node answers when the command writes something, at the latest after half a second. */
  private static final Duration ANSWER = Duration.ofSeconds(15);

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
   * @param timer cuts off nodes that fall silent
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

  /** What became of a call. */
  public sealed interface Call {

    /** The command runs; the stream is the caller's to close. */
    record Open(NodeStream stream) implements Call {}

    /** The node does not have the sandbox awake: nothing has begun, and the call may come again. */
    record NotAwake(String detail) implements Call {}

    /** It does not: never a {@link Run.Finished}. */
    record Over(Run run) implements Call {}
  }

  /** Begins it, and waits until it runs or certainly does not. */
  public Call begin(URI node, Execution execution, String requestId, Lifeline lifeline) {
    CompletableFuture<HttpResponse<InputStream>> exchange =
        client.sendAsync(
            request(node, execution, requestId), HttpResponse.BodyHandlers.ofInputStream());
    lifeline.hold(() -> exchange.cancel(true));
    HttpResponse<InputStream> response;
    try {
      response = exchange.get();
    } catch (ExecutionException e) {
      return new Call.Over(
          e.getCause() instanceof ConnectException
                  || e.getCause() instanceof HttpConnectTimeoutException
              ? new Run.NeverBegan(
                  Run.Cause.NODE_UNAVAILABLE, "The sandbox's node cannot be reached.")
              : new Run.Unknown("The sandbox's node did not answer."));
    } catch (CancellationException e) {
      return new Call.Over(new Run.Unknown("The caller went away."));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.cancel(true);
      return new Call.Over(new Run.Unknown("Interrupted before the sandbox's node answered."));
    }
    if (response.statusCode() != 200) {
      try (InputStream body = response.body()) {
        return refused(response.statusCode(), body.readNBytes(LARGEST_PROBLEM));
      } catch (IOException e) {
        return new Call.Over(new Run.Unknown("The answer of the sandbox's node broke off."));
      }
    }
    NodeStream stream = new NodeStream(json, response.body(), timer);
    lifeline.hold(stream);
    NodeStream.Frame.End end = stream.awaitStart();
    if (end == null) {
      return new Call.Open(stream);
    }
    stream.close();
    return new Call.Over(end.run());
  }

  private HttpRequest request(URI node, Execution execution, String requestId) {
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
        .timeout(ANSWER)
        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
        .build();
  }

  /** What a node says before it starts anything. */
  private Call refused(int status, byte[] body) {
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
    if (status == 404) {
      return new Call.NotAwake("The sandbox's node does not hold it.");
    }
    if (code.equals("not_running")) {
      return new Call.NotAwake(detail);
    }
    return new Call.Over(
        switch (status) {
          case 409 -> new Run.Unknown("The sandbox's node has this execution already.");
          case 400 ->
              new Run.NeverBegan(
                  Run.Cause.NOT_POSSIBLE,
                  detail.isEmpty() ? "The sandbox's node refused it." : detail);
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
        });
  }

  private static String stripSlash(String url) {
    return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }
}
