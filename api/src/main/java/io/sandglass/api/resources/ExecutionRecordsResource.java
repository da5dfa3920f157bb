package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Detached;
import io.sandglass.api.control.Executions;
import io.sandglass.api.dataplane.Lifeline;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.dataplane.Run;
import io.sandglass.api.domain.ExecutionRecord;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.EventWriter;
import io.sandglass.api.http.Hangup;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Requires;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The commands that ran in a sandbox, and those that run in the background. */
@Path("/v1/sandboxes/{id}/executions")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Executions")
public final class ExecutionRecordsResource {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern EVENT_ID = Pattern.compile("([0-9]{1,18})-([0-9]{1,18})");

  private final Detached detached;
  private final InstantSource clock;

  public ExecutionRecordsResource(Detached detached, InstantSource clock) {
    this.detached = detached;
    this.clock = clock;
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(
      operationId = "listExecutions",
      summary = "List the commands that ran in a sandbox, newest first",
      description = "Those of plain executes too; uploads and downloads are in the events.")
  @ApiResponse(
      responseCode = "200",
      description = "A page of them",
      content = @Content(schema = @Schema(implementation = ExecutionView.Page.class)))
  @Documented({ProblemType.FOREIGN_ORGANIZATION, ProblemType.SANDBOX_NOT_FOUND})
  public ExecutionView.Page list(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "1 to 1000, 100 without it") @QueryParam("limit") String limit,
      @Parameter(description = "next_cursor of the page before") @QueryParam("cursor")
          String cursor) {
    int most = ListQuery.limit(limit);
    long before =
        cursor == null ? Long.MAX_VALUE : ListQuery.number("cursor", cursor, 1, Long.MAX_VALUE);
    List<ExecutionRecord> found = Answers.value(detached.list(caller.orgId(), id, before, most));
    boolean more = found.size() > most;
    List<ExecutionRecord> page = more ? found.subList(0, most) : found;
    return new ExecutionView.Page(
        page.stream().map(record -> ExecutionView.of(record, clock.instant())).toList(),
        more ? Long.toString(page.getLast().startedVersion()) : null);
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{execution}")
  @Produces({MediaType.APPLICATION_JSON, EventWriter.MEDIA_TYPE})
  @Operation(
      operationId = "getExecution",
      summary = "Read an execution and its output so far, or follow it",
      description =
          """
          State and exit code are what the log says; the output of a detached execution is read \
          from its sandbox: the first 10 MiB of each stream, of those that run and the 16 that \
          ended last. Neither is activity, and a sandbox that sleeps stays asleep: `output` is \
          `unreachable` then. With `follow=true` or `Accept: text/event-stream` the answer is a \
          stream of server-sent events as that of execute, from the offsets on. The `id` of an \
          event is where both streams stand after it: sent as `Last-Event-ID` after a cut, the rest \
          follows, nothing twice. Hanging up ends nothing. Up to 7 may follow at once.""")
  @ApiResponse(
      responseCode = "200",
      description = "The record with the output; or, as events, what it does",
      content = {
        @Content(
            mediaType = MediaType.APPLICATION_JSON,
            schema = @Schema(implementation = ExecutionView.WithOutput.class)),
        @Content(mediaType = EventWriter.MEDIA_TYPE, schema = @Schema(type = "string"))
      })
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.EXECUTION_NOT_FOUND,
    ProblemType.NOT_DETACHED,
    ProblemType.NOT_RUNNING,
    ProblemType.OUTPUT_GONE,
    ProblemType.NODE_UNAVAILABLE
  })
  public Response get(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @PathParam("execution") String execution,
      @Parameter(description = "In bytes; 0 without it") @QueryParam("stdout_offset")
          String stdoutOffset,
      @Parameter(description = "In bytes; 0 without it") @QueryParam("stderr_offset")
          String stderrOffset,
      @Parameter(
              description = "Whether to answer with events until it ends",
              schema = @Schema(type = "boolean"))
          @QueryParam("follow")
          String follow,
      @Parameter(description = "The id of an event; wins over the offsets")
          @HeaderParam("Last-Event-ID")
          String lastEventId,
      @Context HttpHeaders headers,
      @Context HttpServletRequest http) {
    Offsets offsets = Offsets.parse(stdoutOffset, stderrOffset, lastEventId);
    boolean events = flag("follow", follow) || ExecutionsResource.wantsEvents(headers);
    Detached.Found found = Answers.value(detached.find(caller.orgId(), id, execution));
    if (!events) {
      Detached.Output output =
          Answers.value(detached.output(found, offsets.stdout(), offsets.stderr()));
      return Response.ok(ExecutionView.of(found.execution(), output, clock.instant()))
          .type(MediaType.APPLICATION_JSON_TYPE)
          .build();
    }
    Lifeline lifeline = new Lifeline();
    NodeStream stream =
        Answers.value(detached.follow(found, offsets.stdout(), offsets.stderr(), lifeline));
    StreamingOutput entity =
        out -> {
          try (stream;
              Hangup _ = Hangup.watch(http, lifeline::cut)) {
            pump(execution, stream, offsets, new EventWriter(out, JSON));
          }
        };
    Response.ResponseBuilder response = Response.ok(entity);
    EventWriter.HEADERS.forEach(response::header);
    return response.build();
  }

  /** Would otherwise be answered by a stream that nobody reads. */
  @HEAD
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{execution}")
  @Operation(hidden = true)
  public Response head() {
    return Response.status(Response.Status.METHOD_NOT_ALLOWED).allow("GET, DELETE").build();
  }

  @DELETE
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{execution}")
  @Operation(
      operationId = "killExecution",
      summary = "Kill a detached execution with its whole process tree",
      description =
          "Also when it has ended: then nothing happens. The end tells the exit code, 137, and the"
              + " failure `killed: on request`; the history tells who asked.")
  @ApiResponse(responseCode = "204", description = "Nothing of it runs any more")
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.EXECUTION_NOT_FOUND,
    ProblemType.NOT_DETACHED,
    ProblemType.NOT_RUNNING,
    ProblemType.LOG_UNAVAILABLE,
    ProblemType.NODE_UNAVAILABLE
  })
  public Response kill(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @PathParam("execution") String execution) {
    Detached.Found found = Answers.value(detached.find(caller.orgId(), id, execution));
    var _ = Answers.value(detached.kill(Calls.plain(caller), found));
    return Response.noContent().build();
  }

  /** Where the reader of both streams stands, in bytes. */
  private record Offsets(long stdout, long stderr) {
    static Offsets parse(String stdout, String stderr, String lastEventId) {
      if (lastEventId == null || lastEventId.isEmpty()) {
        return new Offsets(offset("stdout_offset", stdout), offset("stderr_offset", stderr));
      }
      Matcher parts = EVENT_ID.matcher(lastEventId);
      if (!parts.matches()) {
        throw ProblemException.invalid("Last-Event-ID", "Expected the id of an event.");
      }
      return new Offsets(Long.parseLong(parts.group(1)), Long.parseLong(parts.group(2)));
    }

    private static long offset(String name, String text) {
      return text == null ? 0 : ListQuery.number(name, text, 0, Long.MAX_VALUE);
    }
  }

  private static boolean flag(String name, String text) {
    return switch (text) {
      case null -> false;
      case "true" -> true;
      case "false" -> false;
      default -> throw ProblemException.invalid(name, "Expected true or false.");
    };
  }

  private static void pump(String executionId, NodeStream stream, Offsets from, EventWriter events)
      throws IOException {
    LiveOutput stdout = new LiveOutput(NodeStream.Channel.STDOUT, from.stdout(), false);
    LiveOutput stderr = new LiveOutput(NodeStream.Channel.STDERR, from.stderr(), false);
    LiveOutput.Events told =
        (name, data) -> events.event(name, stdout.told() + "-" + stderr.told(), data);
    told.event("start", new ExecutionsResource.StartEvent(executionId));
    while (true) {
      switch (stream.next()) {
        case NodeStream.Frame.Started _, NodeStream.Frame.Pause _ -> {}
        case NodeStream.Frame.Beat _ -> events.beat();
        case NodeStream.Frame.Output(NodeStream.Channel channel, byte[] bytes, int length) -> {
          switch (channel) {
            case STDOUT -> stdout.take(bytes, length, told);
            case STDERR -> stderr.take(bytes, length, told);
          }
        }
        case NodeStream.Frame.End(Run run) -> {
          if (run instanceof Run.Finished end) {
            stdout.end(told);
            stderr.end(told);
            told.event("exit", ExecutionsResource.exit(end));
          } else {
            told.event("error", brokenOff(run));
          }
          return;
        }
      }
    }
  }

  /** Of the stream, not of the execution. */
  private static ExecutionsResource.ErrorEvent brokenOff(Run run) {
    if (run instanceof Run.Unknown(String detail)) {
      return new ExecutionsResource.ErrorEvent(
          "node_unavailable", detail + " The execution may go on; so may its output.");
    }
    Answer.Refused<?> refused = Executions.refused(run);
    return new ExecutionsResource.ErrorEvent(refused.code(), refused.detail());
  }
}
