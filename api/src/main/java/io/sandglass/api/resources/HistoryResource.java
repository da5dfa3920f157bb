package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Accounts;
import io.sandglass.api.control.History;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Requires;
import io.sandglass.api.store.EventStore;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Request;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.util.List;
import org.glassfish.jersey.server.ChunkedOutput;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everything that happened in an organization, by pages and live. */
@Path("/v1/events")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "History")
public final class HistoryResource {
  private static final Logger LOG = LoggerFactory.getLogger(HistoryResource.class);

  private final History history;
  private final Accounts accounts;
  private final ObjectMapper json;

  public HistoryResource(History history, Accounts accounts, ObjectMapper json) {
    this.history = history;
    this.accounts = accounts;
    this.json = json;
  }

  /** A stretch of an organization's history. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "HistoryPage")
  record HistoryPage(
      List<EventView> events,
      @Schema(
              description = "Sent as cursor, it gets the next page; null when there is none yet",
              nullable = true)
          String nextCursor,
      @Schema(
              description =
                  "Where this page ends, also when it is the last: what happens later is got with"
                      + " it as cursor, or followed with it as Last-Event-ID")
          String endCursor) {

    static HistoryPage of(EventStore.Page page) {
      String end = page.end().text();
      return new HistoryPage(
          page.events().stream().map(EventView::of).toList(), page.more() ? end : null, end);
    }
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(
      operationId = "listEvents",
      summary = "Read the organization's history across its sandboxes, oldest first",
      description =
          "Each sandbox's events come in the order of their versions; those of different sandboxes"
              + " in the order of time, as far as that is known when the page is made. A cursor is"
              + " a place in the log: nothing ever appears behind it.")
  @ApiResponse(
      responseCode = "200",
      description = "A page of it",
      content = @Content(schema = @Schema(implementation = HistoryPage.class)))
  public HistoryPage list(
      @Parameter(hidden = true) @Auth Caller caller,
      @Parameter(description = "A cursor of another page, or an id of the stream")
          @QueryParam("cursor")
          String cursor,
      @Parameter(description = "Any of these; without it, all") @QueryParam("type")
          List<String> type,
      @Parameter(description = "Not before this time") @QueryParam("from") String from,
      @Parameter(description = "Before this time") @QueryParam("to") String to,
      @Parameter(description = "1 to 1000, 100 without it") @QueryParam("limit") String limit) {
    return HistoryPage.of(
        history.page(
            HistoryQuery.parse(caller.orgId(), type, from, to),
            HistoryQuery.cursor("cursor", cursor),
            ListQuery.limit(limit)));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/stream")
  @Produces({"text/event-stream", MediaType.APPLICATION_JSON})
  @Operation(
      operationId = "streamEvents",
      summary = "Follow the organization's history",
      description =
          "Server-sent events: `id` is a cursor, `event` the type, `data` an Event. Sent as"
              + " Last-Event-ID (or cursor) after a cut, the last id gets everything after it, once"
              + " and in order. Without one, the stream begins now and says so with a first id.")
  @ApiResponse(
      responseCode = "200",
      description = "The events as they happen, until the connection ends",
      content =
          @Content(
              mediaType = "text/event-stream",
              schema = @Schema(implementation = EventView.class)))
  @Documented(ProblemType.TOO_MANY_REQUESTS)
  public Response stream(
      @Parameter(hidden = true) @Auth Caller caller,
      @HeaderParam("Last-Event-ID") String lastEventId,
      @Parameter(description = "Where to begin when there is no Last-Event-ID")
          @QueryParam("cursor")
          String cursor,
      @Parameter(description = "Any of these; without it, all") @QueryParam("type")
          List<String> type,
      @Context Request request) {
    EventStore.Query query = HistoryQuery.parse(caller.orgId(), type, null, null);
    HistoryCursor after =
        lastEventId != null && !lastEventId.isEmpty()
            ? HistoryQuery.cursor("Last-Event-ID", lastEventId)
            : cursor == null ? history.now() : HistoryQuery.cursor("cursor", cursor);
    if (request.getMethod().equals(HttpMethod.HEAD)) {
      return Response.ok().type("text/event-stream").build();
    }
    Runnable leave =
        history
            .enter(caller.orgId())
            .orElseThrow(
                () ->
                    new ProblemException(
                        ProblemType.TOO_MANY_REQUESTS,
                        "The organization follows its history on too many connections."));
    // Written as it comes: a plain entity would be held back until it fills a buffer.
    ChunkedOutput<String> out = new ChunkedOutput<>(String.class);
    Thread.ofVirtual()
        .name("history-" + caller.requestId())
        .start(() -> follow(query, after, caller, out, leave));
    return Response.ok(out, "text/event-stream")
        .header(HttpHeaders.CACHE_CONTROL, "no-store")
        .header("X-Accel-Buffering", "no")
        .build();
  }

  /** Without data it is no event, but the client remembers the id. */
  private static String idle(HistoryCursor cursor) {
    return ": \nid: " + cursor.text() + "\n\n";
  }

  private String text(EventStore.Page page) throws IOException {
    StringBuilder text = new StringBuilder();
    HistoryCursor cursor = page.start();
    for (EventStore.Stored event : page.events()) {
      cursor = cursor.after(event.partition(), event.offset());
      text.append("id: ")
          .append(cursor.text())
          .append("\nevent: ")
          .append(event.type())
          .append("\ndata: ")
          .append(json.writeValueAsString(EventView.of(event)))
          .append("\n\n");
    }
    return text.toString();
  }

  private void follow(
      EventStore.Query query,
      HistoryCursor after,
      Caller caller,
      ChunkedOutput<String> out,
      Runnable leave) {
    try (out) {
      out.write(idle(after));
      history.follow(
          query,
          after,
          () -> accounts.works(caller.keyId()),
          page -> out.write(page.events().isEmpty() ? idle(page.end()) : text(page)));
    } catch (IOException e) {
      LOG.debug("request={} is not followed any more: {}", caller.requestId(), e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // The client comes again with its last id, when the database perhaps answers again.
      LOG.warn("request={} stream ended: {}", caller.requestId(), e.toString());
    } finally {
      leave.run();
    }
  }
}
