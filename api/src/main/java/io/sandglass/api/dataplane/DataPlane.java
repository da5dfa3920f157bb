package io.sandglass.api.dataplane;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.hc.client5.http.classic.methods.HttpDelete;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityTemplate;
import org.apache.hc.core5.io.IOCallback;
import org.apache.hc.core5.util.Timeout;

/** Calls a node to run something in one of its sandboxes, or about what runs there. */
public final class DataPlane {
  /** A node says something when the command writes, at the latest after half a second. */
  private static final Duration SILENCE = Duration.ofSeconds(15);

  private final CloseableHttpClient client;
  private final String key;
  private final ObjectMapper json =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /**
   * @param key what nodes know us by
   */
  public DataPlane(String key) {
    this.client =
        NodeClients.client(
                NodeClients.connections(),
                NodeClients.requests().setResponseTimeout(Timeout.of(SILENCE)))
            .build();
    this.key = key;
  }

  private record Body(
      String executionId,
      int incarnation,
      long wake,
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

    /** The node can't be asked, or not yet: nothing has begun. */
    record Away(String detail) implements Refusal {}

    /** It does not: never a {@link Run.Finished}. */
    record Over(Run run) implements Refusal {}
  }

  /**
   * Begins it, and waits until it runs or certainly does not. The node has all but the last byte of
   * the request while permission is waited for, and can't begin without it.
   *
   * @param permission returns when it may begin; what it throws is passed on, and nothing begins
   */
  public Call begin(
      URI node, Execution execution, String requestId, Lifeline lifeline, Runnable permission) {
    Call call = open(start(node, execution, requestId, false, lifeline, permission));
    if (!(call instanceof Call.Open)) {
      permission.run(); // which was not asked for where the node can't be reached
    }
    return call;
  }

  private Call open(Heard heard) {
    return switch (heard) {
      case Heard.Nothing(Call.Refusal refusal) -> refusal;
      case Heard.Answer(ClassicHttpResponse response, Runnable hangUp) -> {
        if (response.getCode() != 200) {
          yield refused(problem(response));
        }
        NodeStream stream;
        try {
          stream = new NodeStream(json, response.getEntity().getContent(), hangUp);
        } catch (IOException e) {
          yield new Call.Over(new Run.Unknown("The sandbox's node broke off its answer."));
        }
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
    return switch (start(node, execution, requestId, true, new Lifeline(), () -> {})) {
      case Heard.Nothing(Call.Refusal refusal) -> Optional.of(refusal);
      case Heard.Answer(ClassicHttpResponse response, Runnable _) -> {
        NodeProblem problem = problem(response);
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
    return open(ask(addressed(new HttpGet(about(node, from, query))), lifeline, () -> true));
  }

  /**
   * Kills a detached execution.
   *
   * @return empty when it is certain that nothing of it runs
   */
  public Optional<Call.Refusal> kill(URI node, Place execution) {
    HttpUriRequestBase request =
        addressed(
            new HttpDelete(about(node, execution, "?incarnation=" + execution.incarnation())));
    return switch (ask(request, new Lifeline(), () -> true)) {
      case Heard.Nothing(Call.Refusal refusal) -> Optional.of(refusal);
      case Heard.Answer(ClassicHttpResponse response, Runnable _) -> {
        NodeProblem problem = problem(response);
        yield problem.status() == 204 || problem.code().equals("unknown_execution")
            ? Optional.empty()
            : Optional.of(refused(problem));
      }
    };
  }

  /** What came of a question. */
  private sealed interface Heard {
    record Answer(ClassicHttpResponse response, Runnable hangUp) implements Heard {}

    record Nothing(Call.Refusal refusal) implements Heard {}
  }

  /**
   * @param complete whether the node may have all of the request
   */
  private Heard ask(HttpUriRequestBase request, Lifeline lifeline, BooleanSupplier complete) {
    lifeline.hold(request::cancel);
    try {
      return new Heard.Answer(client.executeOpen(null, request, null), request::cancel);
    } catch (IOException e) {
      if (NodeClients.isUnreachable(e) || !complete.getAsBoolean()) {
        return new Heard.Nothing(new Call.Away("The sandbox's node cannot be reached."));
      }
      return new Heard.Nothing(
          new Call.Over(
              new Run.Unknown(
                  lifeline.isCut()
                      ? "The caller went away."
                      : "The sandbox's node did not answer.")));
    }
  }

  private Heard start(
      URI node,
      Execution execution,
      String requestId,
      boolean detach,
      Lifeline lifeline,
      Runnable permission) {
    byte[] body;
    try {
      body =
          json.writeValueAsBytes(
              new Body(
                  execution.id(),
                  execution.life().incarnation(),
                  execution.life().wake(),
                  execution.command(),
                  execution.timeout().toMillis(),
                  execution.workdir(),
                  execution.env(),
                  execution.stdin(),
                  detach));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + execution, e);
    }
    HttpPost request = new HttpPost(uri(node, execution.life().sandboxId(), ""));
    request.setHeader("X-Request-Id", requestId);
    Withheld content = new Withheld(body, permission);
    request.setEntity(new EntityTemplate(body.length, ContentType.APPLICATION_JSON, null, content));
    return ask(addressed(request), lifeline, () -> content.complete);
  }

  /** A request's body whose last byte is sent when there is permission. */
  private static final class Withheld implements IOCallback<OutputStream> {
    private final byte[] bytes;
    private final Runnable permission;
    private boolean complete;

    Withheld(byte[] bytes, Runnable permission) {
      this.bytes = bytes;
      this.permission = permission;
    }

    @Override
    public void execute(OutputStream node) throws IOException {
      int most = bytes.length - 1;
      node.write(bytes, 0, most);
      node.flush();
      permission.run();
      node.write(bytes, most, 1);
      node.flush();
      complete = true;
    }
  }

  private HttpUriRequestBase addressed(HttpUriRequestBase request) {
    request.setHeader("Authorization", "Bearer " + key);
    return request;
  }

  private static URI about(URI node, Place execution, String rest) {
    return uri(node, execution.sandboxId(), "/" + execution.executionId() + rest);
  }

  private static URI uri(URI node, String sandboxId, String rest) {
    return URI.create(NodeClients.base(node) + "/sandboxes/" + sandboxId + "/executions" + rest);
  }

  /** An answer that is no stream. */
  private static NodeProblem problem(ClassicHttpResponse response) {
    try (response) {
      return NodeProblem.read(response);
    } catch (IOException e) {
      return NodeProblem.silent(response);
    }
  }

  /** What a node says before it starts anything. */
  private static Call.Refusal refused(NodeProblem problem) {
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
    return switch (status) {
      case 409 -> new Call.Over(new Run.Unknown("The sandbox's node has this execution already."));
      case 400 ->
          new Call.Over(
              new Run.NeverBegan(
                  Run.Cause.NOT_POSSIBLE,
                  detail.isEmpty() ? "The sandbox's node refused it." : detail));
      case 401, 403, 503 ->
          new Call.Away(
              "The sandbox's node refused ("
                  + status
                  + ")"
                  + (detail.isEmpty() ? "." : ": " + detail));
      default ->
          new Call.Over(new Run.Unknown("The sandbox's node answered with status " + status + "."));
    };
  }
}
