package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Requires;
import io.sandglass.api.store.CommandStore;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** What became of commands whose outcome was not known in time. */
@Path("/v1/commands/{id}")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Commands")
public final class CommandsResource {
  private final CommandStore commands;

  public CommandsResource(CommandStore commands) {
    this.commands = commands;
  }

  /** A command, as clients see it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @Schema(name = "Command")
  record CommandView(
      String id,
      String sandboxId,
      @Schema(allowableValues = {"pending", "accepted", "rejected"}) String status,
      @Schema(description = "Why it was rejected, for programs") String code,
      @Schema(description = "Why it was rejected") String detail,
      @Schema(description = "The sandbox's version from then on") Long version,
      @Schema(format = "date-time") String at) {

    static CommandView of(CommandResult result) {
      String at = SandboxView.text(result.at());
      return switch (result.decision()) {
        case Decision.Undecided() ->
            new CommandView(
                result.commandId(), result.sandboxId(), "pending", null, null, null, at);
        case Decision.Accepted(long version) ->
            new CommandView(
                result.commandId(), result.sandboxId(), "accepted", null, null, version, at);
        case Decision.Rejected(String code, String detail, long version) ->
            new CommandView(
                result.commandId(), result.sandboxId(), "rejected", code, detail, version, at);
      };
    }
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(operationId = "getCommand", summary = "Read what became of a command")
  @ApiResponse(
      responseCode = "200",
      description = "The command",
      content = @Content(schema = @Schema(implementation = CommandView.class)))
  @Documented({ProblemType.FOREIGN_ORGANIZATION, ProblemType.COMMAND_NOT_FOUND})
  public CommandView get(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("id") String id) {
    CommandResult result =
        Checks.clean(id)
            ? commands.find(id).orElseThrow(CommandsResource::notFound)
            : refuse(notFound());
    if (!result.orgId().equals(caller.orgId())) {
      throw new ProblemException(
          ProblemType.FOREIGN_ORGANIZATION, "The command belongs to another organization.");
    }
    return CommandView.of(result);
  }

  private static CommandResult refuse(ProblemException problem) {
    throw problem;
  }

  private static ProblemException notFound() {
    return new ProblemException(ProblemType.COMMAND_NOT_FOUND, "There is no such command.");
  }
}
