package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Files;
import io.sandglass.api.control.Origin;
import io.sandglass.api.dataplane.FileDownload;
import io.sandglass.api.dataplane.FileListing;
import io.sandglass.api.domain.InstantText;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.ProblemException;
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
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files of a sandbox: in, out, and what is there. */
@Path("/v1/sandboxes")
@Tag(name = "Files")
public final class FilesResource {
  private static final Logger LOG = LoggerFactory.getLogger(FilesResource.class);
  private static final int LARGEST_PAGE = 1000;
  private static final int LONGEST_NAME = 255;
  private static final String DIGEST = "Repr-Digest";
  private static final String PATH_RULES =
      "Absolute, without `..`, up to 4096 bytes, each name up to 255";

  private final Files files;
  private final Idempotency idempotency;

  public FilesResource(Files files, Idempotency idempotency) {
    this.files = files;
    this.idempotency = idempotency;
  }

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "FileEntry")
  record EntryView(
      @Schema(description = "Bytes that are no UTF-8 are replaced") String name,
      @Schema(
              allowableValues = {
                "file",
                "directory",
                "symlink",
                "fifo",
                "socket",
                "block_device",
                "character_device"
              })
          String type,
      @Schema(description = "In bytes") long size,
      @Schema(description = "Permissions in octal", example = "0644") String mode,
      @Schema(type = "string", format = "date-time") String modifiedAt) {
    static EntryView of(FileListing.Entry entry) {
      return new EntryView(
          entry.name(),
          entry.type(),
          entry.size(),
          String.format("%04o", entry.mode()),
          InstantText.format(entry.modifiedAt()));
    }
  }

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.ALWAYS)
  @Schema(name = "FileListing")
  record ListingView(
      List<EntryView> entries,
      @Schema(description = "Null when there are no more", nullable = true) String nextCursor) {
    static ListingView of(FileListing listing) {
      return new ListingView(
          listing.entries().stream().map(EntryView::of).toList(), listing.after());
    }
  }

  /** What keeps a file from being reached, whatever is wanted of it. */
  @Documented({
    ProblemType.INVALID_PATH,
    ProblemType.PATH_NOT_PERMITTED,
    ProblemType.FILE_TOO_LARGE,
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_RUNNING,
    ProblemType.FILE_SYSTEM_REFUSED,
    ProblemType.TOO_MANY_REQUESTS,
    ProblemType.NODE_UNAVAILABLE,
    ProblemType.WAKE_FAILED
  })
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.METHOD)
  private @interface FileProblems {}

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("{id}/upload")
  @Consumes(MediaType.WILDCARD)
  @Produces(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "uploadFile",
      summary = "Write a file",
      description =
          "The body is the content, of any content type, up to 104857600 bytes. Missing directories"
              + " are made. The file appears under its name only when all of it has arrived, and"
              + " then replaces what was there; an upload that fails leaves nothing behind. A path"
              + " that ends in a symbolic link writes what the link leads to, inside the sandbox."
              + " The mode of a file that is replaced stays. A suspended sandbox is woken first."
              + " It may take 15 minutes.")
  @RequestBody(
      required = true,
      content =
          @Content(
              mediaType = MediaType.APPLICATION_OCTET_STREAM,
              schema = @Schema(type = "string", format = "binary")))
  @ApiResponse(
      responseCode = "204",
      description =
          "It is there, wholly; with an Idempotency-Key, Repr-Digest has the content's SHA-256")
  @FileProblems
  @Documented({
    ProblemType.NOT_A_FILE,
    ProblemType.SANDBOX_ENDED,
    ProblemType.EXECUTION_IN_DOUBT,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.EXECUTION_OUTCOME_UNKNOWN,
    ProblemType.NO_SPACE
  })
  public Response upload(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = PATH_RULES, required = true) @QueryParam("path") String path,
      @Parameter(description = "The file is never written twice for one key")
          @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Parameter(hidden = true) @HeaderParam(HttpHeaders.CONTENT_LENGTH) String length,
      @Parameter(hidden = true) @HeaderParam("Expect") String expect,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    UploadBody content = new UploadBody(body, idempotencyKey != null, expect != null);
    try {
      String target = FilePath.ofFile(path);
      if (length != null && Long.parseLong(length) > Files.LARGEST_UPLOAD) {
        throw new ProblemException(
            ProblemType.FILE_TOO_LARGE, ProblemType.FILE_TOO_LARGE.description());
      }
      Response answer =
          idempotency.answer(
              Calls.once(caller, idempotencyKey, uri, target),
              () -> Answers.value(files.check(caller.orgId(), id)),
              (origin, sandbox) -> upload(origin, sandbox, target, content));
      if (answer.getHeaderString(Idempotency.REPLAYED) != null) {
        checkSame(answer, content);
      }
      return answer;
    } catch (RuntimeException e) {
      content.drain();
      throw e;
    }
  }

  private Answer<Reply> upload(Origin origin, Sandbox sandbox, String target, UploadBody content) {
    return Answer.carry(
        files.upload(origin, sandbox, target, content),
        _ ->
            new Reply(
                204,
                origin.idempotencyKey() == null ? Map.of() : Map.of(DIGEST, content.digest()),
                null));
  }

  private static void checkSame(Response first, UploadBody content) {
    content.readAll();
    if (!content.digest().equals(first.getHeaderString(DIGEST))) {
      throw new ProblemException(
          ProblemType.IDEMPOTENCY_CONFLICT, "The Idempotency-Key came with other content before.");
    }
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("{id}/download")
  @Produces({MediaType.APPLICATION_OCTET_STREAM, MediaType.APPLICATION_JSON})
  @Operation(
      operationId = "downloadFile",
      summary = "Read a file",
      description =
          "A regular file of up to 1 GiB. The answer's Content-Length is its size; an answer that"
              + " ends earlier has broken off. Of files that do not know their size, such as those"
              + " in /proc, up to 1 MiB. A suspended sandbox is woken first. It may take 15 minutes.")
  @ApiResponse(
      responseCode = "200",
      description = "Its content",
      content =
          @Content(
              mediaType = MediaType.APPLICATION_OCTET_STREAM,
              schema = @Schema(type = "string", format = "binary")))
  @FileProblems
  @Documented({ProblemType.NOT_A_FILE, ProblemType.FILE_NOT_FOUND, ProblemType.LOG_UNAVAILABLE})
  public Response download(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = PATH_RULES, required = true) @QueryParam("path") String path) {
    String file = FilePath.ofFile(path);
    Sandbox sandbox = Answers.value(files.check(caller.orgId(), id));
    FileDownload download = Answers.value(files.download(Calls.plain(caller), sandbox, file));
    return Response.ok((StreamingOutput) body -> copy(download, body))
        .type(MediaType.APPLICATION_OCTET_STREAM_TYPE)
        .header(HttpHeaders.CONTENT_LENGTH, download.size())
        .header("X-Content-Type-Options", "nosniff")
        .build();
  }

  /** Ends in a problem as long as nothing has been sent, and in a connection cut off later. */
  private static void copy(FileDownload download, OutputStream body) throws IOException {
    try {
      download.copyTo(body);
    } catch (FileDownload.BrokenException e) {
      LOG.warn("code=node_unavailable size={} {}", download.size(), e.toString());
      throw new ProblemException(ProblemType.NODE_UNAVAILABLE, e.getMessage() + ".");
    }
  }

  /** Would otherwise be answered by a download that nobody reads. */
  @HEAD
  @Requires(Scope.SANDBOXES_READ)
  @Path("{id}/download")
  @Operation(hidden = true)
  public Response head() {
    return Response.status(Response.Status.METHOD_NOT_ALLOWED).allow("GET").build();
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("{id}/files")
  @Produces(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "listFiles",
      summary = "List a directory",
      description =
          "In the byte order of the names, a page at a time. Links are not followed. A suspended"
              + " sandbox is woken first.")
  @ApiResponse(
      responseCode = "200",
      description = "What is in it",
      content = @Content(schema = @Schema(implementation = ListingView.class)))
  @FileProblems
  @Documented({
    ProblemType.NOT_A_DIRECTORY,
    ProblemType.FILE_NOT_FOUND,
    ProblemType.LOG_UNAVAILABLE
  })
  public Response list(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = PATH_RULES, required = true) @QueryParam("path") String path,
      @Parameter(
              description = "How many entries",
              schema =
                  @Schema(type = "integer", minimum = "1", maximum = "1000", defaultValue = "1000"))
          @QueryParam("limit")
          String limit,
      @Parameter(description = "The next_cursor of the page before") @QueryParam("cursor")
          String cursor) {
    String directory = FilePath.ofDirectory(path);
    int most =
        limit == null ? LARGEST_PAGE : (int) ListQuery.number("limit", limit, 1, LARGEST_PAGE);
    checkCursor(cursor);
    Sandbox sandbox = Answers.value(files.check(caller.orgId(), id));
    FileListing listing =
        Answers.value(files.list(Calls.plain(caller), sandbox, directory, cursor, most));
    return Response.ok(ListingView.of(listing)).build();
  }

  /** A name in base64. */
  private static void checkCursor(String cursor) {
    try {
      if (cursor == null || Base64.getUrlDecoder().decode(cursor).length <= LONGEST_NAME) {
        return;
      }
    } catch (IllegalArgumentException e) {
      // as wrong as one that is too long
    }
    throw ProblemException.invalid("cursor", "Expected the next_cursor of another page.");
  }
}
