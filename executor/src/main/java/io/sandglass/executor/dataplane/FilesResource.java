package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.sandglass.executor.files.FileEntry;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Executions;
import io.sandglass.executor.sandbox.Transfers;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Files of a sandbox: their content in and out as it is, and what is in a directory. */
@Path("/sandboxes/{id}/files")
public final class FilesResource {
  private static final int LONGEST_PATH = 4096;
  private static final int LONGEST_NAME = 255;
  private static final int LARGEST_PAGE = 1000;

  private final Executions executions;
  private final Transfers transfers;
  private final BooleanSupplier ready;

  /**
   * @param ready whether this node has seen yet what it holds
   */
  public FilesResource(Executions executions, Transfers transfers, BooleanSupplier ready) {
    this.executions = executions;
    this.transfers = transfers;
    this.ready = ready;
  }

  record EntryView(
      String name,
      /* The bytes, for names that are not UTF-8. */
      @JsonProperty("name_base64") String nameBase64,
      String type,
      long size,
      int mode,
      @JsonProperty("modified_ms") long modifiedMillis) {
    static EntryView of(FileEntry entry) {
      return new EntryView(
          new String(entry.nameBytes(), StandardCharsets.UTF_8),
          Base64.getUrlEncoder().withoutPadding().encodeToString(entry.nameBytes()),
          entry.type().name().toLowerCase(Locale.ROOT),
          entry.size(),
          entry.mode(),
          entry.modified().toEpochMilli());
    }
  }

  record ListingView(List<EntryView> entries, boolean more) {}

  /** An upload. Nothing is read of the body before the sandbox has agreed to take it. */
  @PUT
  @Path("content")
  @Consumes(MediaType.WILDCARD)
  public Response put(
      @PathParam("id") String sandboxId,
      @QueryParam("incarnation") int incarnation,
      @QueryParam("wake") long wake,
      @QueryParam("execution_id") String executionId,
      @QueryParam("path") String path,
      @QueryParam("limit") long limit,
      @HeaderParam(RequestId.HEADER) String requestIdHeader,
      InputStream body)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    Optional<Response> fault = fault(incarnation, executionId, path, limit, requestId);
    if (fault.isPresent()) {
      return fault.get();
    }
    Life life = new Life(sandboxId, incarnation);
    executions.awaitRunning(life, wake);
    try {
      return put(
          new Transfers.Request(life, executionId, path, limit, requestId),
          new UploadBody(body, limit));
    } catch (IOException e) {
      return Problem.response(
          400, "body_broken_off", "the body ended before its end", requestId.orElse(null));
    }
  }

  private Response put(Transfers.Request request, UploadBody content)
      throws IOException, InterruptedException {
    try {
      transfers.upload(request, content);
      return Response.noContent().build();
    } catch (Transfers.DeniedException e) {
      return ExecutionResource.problem(e.denied(), request.requestId().orElse(null));
    } catch (FileException e) {
      content.drain();
      return problem(e, request.requestId());
    }
  }

  /** A download. The body is complete when it is as long as was announced. */
  @GET
  @Path("content")
  public Response get(
      @PathParam("id") String sandboxId,
      @QueryParam("incarnation") int incarnation,
      @QueryParam("wake") long wake,
      @QueryParam("execution_id") String executionId,
      @QueryParam("path") String path,
      @QueryParam("limit") long limit,
      @HeaderParam(RequestId.HEADER) String requestIdHeader)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    Optional<Response> fault = fault(incarnation, executionId, path, limit, requestId);
    if (fault.isPresent()) {
      return fault.get();
    }
    Life life = new Life(sandboxId, incarnation);
    executions.awaitRunning(life, wake);
    try {
      Transfers.Opened file =
          transfers.open(new Transfers.Request(life, executionId, path, limit, requestId));
      return Response.ok((StreamingOutput) file::copyTo)
          .type(MediaType.APPLICATION_OCTET_STREAM)
          .header(HttpHeaders.CONTENT_LENGTH, file.size())
          .build();
    } catch (Transfers.DeniedException e) {
      return ExecutionResource.problem(e.denied(), requestId.orElse(null));
    } catch (FileException e) {
      return problem(e, requestId);
    }
  }

  /**
   * A page of a directory.
   *
   * @param after the name before the page, in base64
   */
  @GET
  public Response list(
      @PathParam("id") String sandboxId,
      @QueryParam("incarnation") int incarnation,
      @QueryParam("wake") long wake,
      @QueryParam("path") String path,
      @QueryParam("after") @DefaultValue("") String after,
      @QueryParam("limit") int limit,
      @HeaderParam(RequestId.HEADER) String requestIdHeader)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    Optional<Response> fault = fault(incarnation, "-", path, limit, requestId);
    if (fault.isPresent()) {
      return fault.get();
    }
    Optional<byte[]> name = name(after);
    if (limit > LARGEST_PAGE || name.isEmpty()) {
      return Problem.response(
          400, "invalid_request", "limit or after is malformed", requestId.orElse(null));
    }
    Life life = new Life(sandboxId, incarnation);
    executions.awaitRunning(life, wake);
    try {
      GuestFiles.Listing listing = transfers.list(life, path, name.get(), limit);
      return Response.ok(
              new ListingView(
                  listing.entries().stream().map(EntryView::of).toList(), listing.more()))
          .type(MediaType.APPLICATION_JSON)
          .build();
    } catch (Transfers.DeniedException e) {
      return ExecutionResource.problem(e.denied(), requestId.orElse(null));
    } catch (FileException e) {
      return problem(e, requestId);
    }
  }

  private Optional<Response> fault(
      int incarnation, String executionId, String path, long limit, Optional<String> requestId) {
    if (incarnation < 1
        || limit < 1
        || executionId == null
        || !ExecutionBody.isId(executionId)
        || path == null
        || !path.startsWith("/")
        || path.indexOf('\0') >= 0
        || path.getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      return Optional.of(
          Problem.response(
              400, "invalid_request", "a parameter is malformed", requestId.orElse(null)));
    }
    return ready.getAsBoolean()
        ? Optional.empty()
        : Optional.of(Problem.notReady(requestId.orElse(null)));
  }

  private static Optional<byte[]> name(String base64) {
    try {
      byte[] name = Base64.getUrlDecoder().decode(base64);
      return Optional.of(name).filter(bytes -> bytes.length <= LONGEST_NAME);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Response problem(FileException e, Optional<String> requestId) {
    int status =
        switch (e.failure()) {
          case NOT_FOUND -> 404;
          case INVALID_PATH, IS_DIRECTORY, NOT_A_FILE, NOT_A_DIRECTORY, NOT_PERMITTED, TOO_LARGE ->
              400;
          case IO_ERROR -> 409;
          case BROKEN -> 502;
          case NO_RESOURCES, GUEST_UNREACHABLE -> 503;
          case NO_SPACE -> 507;
        };
    return Problem.response(status, e.failure().code(), e.getMessage(), requestId.orElse(null));
  }
}
