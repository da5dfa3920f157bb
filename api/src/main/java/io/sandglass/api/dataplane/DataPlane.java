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
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;

/** Calls a node to run something in one of its sandboxes, or about what runs there. */
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
      String stdin,
      boolean detach) {}

  /** What became of a call. */
  public sealed interface Call {

    /** The command runs; the stream is the caller's to close. */
    record Open(NodeStream stream) implements Call {}

    /** Why there is none. */
    sealed interface Refusal extends Call {}

    /** The node does not have the sandbox awake: nothing has begun, and the call may come again. */
    record NotAwake(String detail) implements Refusal {}

    /** It does not: never a {@link Run.Finished}. */
    record Over(Run run) implements Refusal {}
  }

  /** Begins it, and waits until it runs or certainly does not. */
  public Call begin(URI node, Execution execution, String requestId, Lifeline lifeline) {
    return open(start(node, execution, requestId, false), lifeline);
  }

  private Call open(HttpRequest request, Lifeline lifeline) {
    return switch (ask(request, lifeline)) {
      case Heard.Nothing(Run run) -> new Call.Over(run);
      case Heard.Answer(HttpResponse<InputStream> response) -> {
        if (response.statusCode() != 200) {
          yield refused(problem(response));
        }
        NodeStream stream = new NodeStream(json, response.body(), timer);
        lifeline.hold(stream);
        NodeStream.Frame.End end = stream.awaitStart();
        if (end == null) {
          yield new Call.Open(stream);
        }
        stream.close();
        yield new Call.Over(end.run());
      }
    };
  }

  /**
   * Has it begun to go on without a caller; with an id that has begun before, nothing happens.
   *
   * @return empty when it runs, or has run
   */
  public Optional<Call.Refusal> detach(URI node, Execution execution, String requestId) {
    return switch (ask(start(node, execution, requestId, true), new Lifeline())) {
      case Heard.Nothing(Run run) -> Optional.of(new Call.Over(run));
      case Heard.Answer(HttpResponse<InputStream> response) -> {
        Problem problem = problem(response);
        if (problem.status() == 202 || problem.code().equals("execution_already_started")) {
          yield Optional.empty();
        }
        yield Optional.of(
            problem.status() == 502
                ? new Call.Over(NodeStream.failure(problem.code(), problem.detail()))
                : refused(problem));
      }
    };
  }

  /**
   * A detached execution, and how far its output was read.
   *
   * @param incarnation which life of the container is meant
   */
  public record Place(
      String sandboxId, String executionId, int incarnation, long stdout, long stderr) {}

  /**
   * The output of a detached execution, then its end or a pause.
   *
   * @param follow whether its end is waited for
   */
  public Call output(URI node, Place from, boolean follow, Lifeline lifeline) {
    String query =
        "/output?incarnation=%d&stdout=%d&stderr=%d&follow=%b"
            .formatted(from.incarnation(), from.stdout(), from.stderr(), follow);
    return open(about(node, from, query).GET().build(), lifeline);
  }

  /**
   * Kills a detached execution.
   *
   * @return empty when it is certain that nothing of it runs
   */
  public Optional<Call.Refusal> kill(URI node, Place execution) {
    HttpRequest request =
        about(node, execution, "?incarnation=" + execution.incarnation()).DELETE().build();
    return switch (ask(request, new Lifeline())) {
      case Heard.Nothing(Run run) -> Optional.of(new Call.Over(run));
      case Heard.Answer(HttpResponse<InputStream> response) -> {
        Problem problem = problem(response);
        yield problem.status() == 204 || problem.code().equals("unknown_execution")
            ? Optional.empty()
            : Optional.of(refused(problem));
      }
    };
  }

  /** What came of a question. */
  private sealed interface Heard {
    record Answer(HttpResponse<InputStream> response) implements Heard {}

    record Nothing(Run run) implements Heard {}
  }

  private Heard ask(HttpRequest request, Lifeline lifeline) {
    CompletableFuture<HttpResponse<InputStream>> exchange =
        client.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
    lifeline.hold(() -> exchange.cancel(true));
    try {
      return new Heard.Answer(exchange.get());
    } catch (ExecutionException e) {
      return new Heard.Nothing(
          e.getCause() instanceof ConnectException
                  || e.getCause() instanceof HttpConnectTimeoutException
              ? new Run.NeverBegan(
                  Run.Cause.NODE_UNAVAILABLE, "The sandbox's node cannot be reached.")
              : new Run.Unknown("The sandbox's node did not answer."));
    } catch (CancellationException e) {
      return new Heard.Nothing(new Run.Unknown("The caller went away."));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.cancel(true);
      return new Heard.Nothing(new Run.Unknown("Interrupted before the sandbox's node answered."));
    }
  }

  private HttpRequest start(URI node, Execution execution, String requestId, boolean detach) {
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
                  execution.stdin(),
                  detach));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + execution, e);
    }
    return request(node, execution.sandboxId(), "")
        .header("Content-Type", "application/json")
        .header("X-Request-Id", requestId)
        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
        .build();
  }

  private HttpRequest.Builder about(URI node, Place execution, String rest) {
    return request(node, execution.sandboxId(), "/" + execution.executionId() + rest);
  }

  private HttpRequest.Builder request(URI node, String sandboxId, String rest) {
    return HttpRequest.newBuilder(
            URI.create(
                stripSlash(node.toString()) + "/sandboxes/" + sandboxId + "/executions" + rest))
        .header("Authorization", "Bearer " + key)
        .timeout(ANSWER);
  }

  /** An answer that is no stream; empty texts where it says nothing. */
  private record Problem(int status, String code, String detail) {}

  private Problem problem(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      JsonNode problem = json.readTree(body.readNBytes(LARGEST_PROBLEM));
      return new Problem(
          response.statusCode(),
          problem.path("code").asText(""),
          problem.path("detail").asText(""));
    } catch (IOException e) {
      return new Problem(response.statusCode(), "", "");
    }
  }

  /** What a node says before it starts anything. */
  private static Call.Refusal refused(Problem problem) {
    int status = problem.status();
    String detail = problem.detail();
    String code = problem.code();
    if (status == 404) {
      return new Call.NotAwake("The sandbox's node does not hold it.");
    }
    if (code.equals("not_running")) {
      return new Call.NotAwake(detail);
    }
    if (code.equals("too_many_executions")) {
      return new Call.Over(
          new Run.NeverBegan(
              Run.Cause.TOO_MANY, "The sandbox's node runs as many executions as it can."));
    }
    return new Call.Over(
        switch (status) {
          case 409 -> new Run.Unknown("The sandbox's node has this execution already.");
          case 400 ->
              new Run.NeverBegan(
                  Run.Cause.NOT_POSSIBLE,
                  detail.isEmpty() ? "The sandbox's node refused it." : detail);
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
