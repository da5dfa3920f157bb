package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Detached;
import io.sandglass.api.control.Executions;
import io.sandglass.api.dataplane.Lifeline;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.dataplane.Run;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.EventWriter;
import io.sandglass.api.http.Hangup;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.sandglass.api.http.Requires;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Running commands in a sandbox. */
@Path("/v1/sandboxes/{id}/execute")
@Produces({MediaType.APPLICATION_JSON, EventWriter.MEDIA_TYPE})
@Tag(name = "Executions")
public final class ExecutionsResource {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Executions executions;
  private final Detached detached;
  private final JsonBodies bodies;
  private final Idempotency idempotency;
  private final InstantSource clock;

  public ExecutionsResource(
      Executions executions,
      Detached detached,
      JsonBodies bodies,
      Idempotency idempotency,
      InstantSource clock) {
    this.executions = executions;
    this.detached = detached;
    this.bodies = bodies;
    this.idempotency = idempotency;
    this.clock = clock;
  }

  /** How it ended. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "ExecutionResult")
  record ResultView(
      @Schema(description = "124 after a timeout, 128+n after signal n") int exitCode,
      @Schema(description = "The first 10 MiB; bytes that are no UTF-8 are replaced") String stdout,
      @Schema(description = "The first 10 MiB; bytes that are no UTF-8 are replaced") String stderr,
      long durationMs,
      boolean timedOut,
      @Schema(description = "Whether output was dropped") boolean truncated) {

    static ResultView of(Run.Finished end, String stdout, String stderr) {
      return new ResultView(
          end.exitCode(), stdout, stderr, end.durationMs(), end.timedOut(), end.truncated());
    }
  }

  /** The data of the event {@code start}. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record StartEvent(String executionId) {}

  /** The data of the event {@code exit}. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record ExitEvent(int exitCode, long durationMs, boolean timedOut, boolean truncated) {}

  /** The data of the event {@code error}. */
  record ErrorEvent(String code, String detail) {}

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "execute",
      summary = "Run a command and wait for its end, or watch it",
      description =
          """
          With `Accept: text/event-stream` the answer is a stream of server-sent events, each with \
          one line of JSON as data: `start` (`execution_id`) when the shell runs; `stdout` and \
          `stderr` (`text`, `offset`, `next_offset`) as the command writes; and as the last one \
          either `exit` (`exit_code`, `duration_ms`, `timed_out`, `truncated`) or `error` (`code`, \
          `detail`): then the outcome is not known. A text holds whole characters only: one that \
          is split between two writes comes with the second; bytes that are no UTF-8 become U+FFFD. \
          The texts of one stream, put together, are the `stdout` or `stderr` of the plain answer. \
          Comments keep the connection alive. What keeps a command from starting is answered as \
          without streaming. A client that does not read holds the command back; one that hangs \
          up, with or without streaming, has it killed with its whole process tree. A suspended \
          sandbox is woken first.

          With `detach` the answer comes as soon as the command runs, and it goes on without the \
          caller, also while the server restarts: `Location` has its record and its output. It \
          holds off suspending, never expiry; with its sandbox, it ends. Sent again with the same \
          Idempotency-Key it meets the first, and nothing begins twice.""")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = ExecuteRequest.class)))
  @ApiResponse(
      responseCode = "200",
      description = "It ended, with whatever exit code; or, as events, what it does",
      content = {
        @Content(
            mediaType = MediaType.APPLICATION_JSON,
            schema = @Schema(implementation = ResultView.class)),
        @Content(mediaType = EventWriter.MEDIA_TYPE, schema = @Schema(type = "string"))
      })
  @ApiResponse(
      responseCode = "202",
      description = "It runs, detached",
      content =
          @Content(
              mediaType = MediaType.APPLICATION_JSON,
              schema = @Schema(implementation = ExecutionView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_RUNNING,
    ProblemType.SANDBOX_ENDED,
    ProblemType.EXECUTION_IN_DOUBT,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.EXECUTION_OUTCOME_UNKNOWN,
    ProblemType.WAKE_FAILED
  })
  public Response execute(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "The command never runs twice for one key")
          @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Context HttpHeaders headers,
      @Context HttpServletRequest http,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<ExecuteRequest> request =
        bodies.read(body, ExecuteRequest.class, ExecuteRequest.LARGEST_BODY);
    Executions.Request command = request.value().check();
    if (request.value().detached()) {
      return detach(caller, id, Calls.repeatable(caller, idempotencyKey, uri, request), command);
    }
    Idempotency.Call call = Calls.once(caller, idempotencyKey, uri, request);
    Lifeline lifeline = new Lifeline();
    try (Hangup _ = Hangup.watch(http, lifeline::cut)) {
      if (!wantsEvents(headers)) {
        return idempotency.answer(
            call,
            () -> Answers.value(executions.check(caller.orgId(), id)),
            (origin, sandbox) ->
                Answer.carry(
                    executions.run(origin, sandbox, command, lifeline),
                    run -> Reply.ok(ResultView.of(run.end(), run.stdout(), run.stderr()))));
      }
      Response answer =
          idempotency.stream(
              call,
              () -> Answers.value(executions.check(caller.orgId(), id)),
              (origin, sandbox, keep) ->
                  Answer.carry(
                      executions.begin(origin, sandbox, command, lifeline),
                      live -> events(http, live, lifeline, idempotencyKey != null, keep)));
      return answer.getEntity() instanceof byte[] whole ? replay(answer, whole) : answer;
    }
  }

  private Response detach(
      Caller caller, String id, Idempotency.Call call, Executions.Request command) {
    return idempotency.answer(
        call,
        () -> Answers.value(executions.check(caller.orgId(), id)),
        (origin, sandbox) ->
            Answer.carry(
                detached.start(origin, sandbox, command),
                record ->
                    new Reply(
                        202,
                        Map.of(
                            HttpHeaders.LOCATION,
                            "/v1/sandboxes/" + id + "/executions/" + record.id()),
                        ExecutionView.of(record, clock.instant()))));
  }

  /** Whether events are liked better than JSON. */
  static boolean wantsEvents(HttpHeaders headers) {
    for (MediaType type : headers.getAcceptableMediaTypes()) {
      if (type.isCompatible(MediaType.APPLICATION_JSON_TYPE)) {
        return false;
      }
      if (type.isCompatible(MediaType.SERVER_SENT_EVENTS_TYPE)) {
        return true;
      }
    }
    return false;
  }

  private Reply events(
      HttpServletRequest http,
      Executions.Live live,
      Lifeline lifeline,
      boolean repeatable,
      Consumer<Reply> keep) {
    StreamingOutput entity =
        out -> {
          try (Hangup _ = Hangup.watch(http, lifeline::cut);
              NodeStream _ = live.stream()) {
            pump(live, new EventWriter(out, JSON), repeatable, keep);
          }
        };
    return new Reply(200, EventWriter.HEADERS, entity);
  }

  private void pump(
      Executions.Live live, EventWriter events, boolean repeatable, Consumer<Reply> keep)
      throws IOException {
    LiveOutput stdout = new LiveOutput(NodeStream.Channel.STDOUT, 0, repeatable);
    LiveOutput stderr = new LiveOutput(NodeStream.Channel.STDERR, 0, repeatable);
    events.event("start", new StartEvent(live.executionId()));
    while (true) {
      switch (live.stream().next()) {
        case NodeStream.Frame.Started _, NodeStream.Frame.Pause _ -> {}
        case NodeStream.Frame.Beat _ -> events.beat();
        case NodeStream.Frame.Output(NodeStream.Channel channel, byte[] bytes, int length) -> {
          switch (channel) {
            case STDOUT -> stdout.take(bytes, length, events::event);
            case STDERR -> stderr.take(bytes, length, events::event);
          }
        }
        case NodeStream.Frame.End(Run run) -> {
          stdout.end(events::event);
          stderr.end(events::event);
          if (run instanceof Run.Finished end) {
            keep.accept(Reply.ok(ResultView.of(end, stdout.text(), stderr.text())));
            events.event("exit", exit(end));
          } else {
            Answer.Refused<?> refused = executions.unfinished(live.sandboxId(), run);
            events.event("error", new ErrorEvent(refused.code(), refused.detail()));
          }
          return;
        }
      }
    }
  }

  static ExitEvent exit(Run.Finished end) {
    return new ExitEvent(end.exitCode(), end.durationMs(), end.timedOut(), end.truncated());
  }

  /** The kept answer of the first request, as the events that it stands for. */
  private static Response replay(Response kept, byte[] whole) {
    StreamingOutput entity =
        out -> {
          JsonNode result = JSON.readTree(whole);
          EventWriter events = new EventWriter(out, JSON);
          events.event("start", JSON.createObjectNode());
          for (String stream : List.of("stdout", "stderr")) {
            String text = result.path(stream).asText();
            if (!text.isEmpty()) {
              events.event(stream, new LiveOutput.Piece(text, 0, Checks.utf8(text)));
            }
          }
          events.event(
              "exit",
              new ExitEvent(
                  result.path("exit_code").intValue(),
                  result.path("duration_ms").longValue(),
                  result.path("timed_out").booleanValue(),
                  result.path("truncated").booleanValue()));
        };
    Response.ResponseBuilder response = Response.fromResponse(kept).entity(entity);
    EventWriter.HEADERS.forEach((name, value) -> response.header(name, null).header(name, value));
    return response.build();
  }
}
