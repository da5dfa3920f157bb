package io.sandglass.executor.dataplane;

import io.sandglass.executor.template.BuildLogs;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;

/** What this node's builds of templates have written. */
@Path("/builds")
public final class BuildsResource {
  private static final String TEXT = "text/plain;charset=utf-8";

  private final BuildLogs logs;

  public BuildsResource(BuildLogs logs) {
    this.logs = logs;
  }

  /**
   * A build's log.
   *
   * @param follow until the build ends
   */
  @GET
  @Path("/{revision: [a-z0-9_]{1,64}}/log")
  @Produces({TEXT, Problem.MEDIA_TYPE})
  public Response log(
      @PathParam("revision") String revision,
      @QueryParam("follow") @DefaultValue("true") boolean follow,
      @HeaderParam(RequestId.HEADER) String requestIdHeader) {
    return logs.read(revision)
        .map(
            log ->
                Response.ok(
                        (StreamingOutput)
                            out -> {
                              try {
                                log.copyTo(out, follow);
                              } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                              }
                            })
                    .type(TEXT)
                    .build())
        .orElseGet(
            () ->
                Problem.response(
                    404,
                    "unknown_build",
                    "there is no log of this build here",
                    RequestId.of(requestIdHeader).orElse(null)));
  }
}
