package io.sandglass.api.resources;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import io.dropwizard.auth.Auth;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.Requires;
import io.sandglass.api.store.UsageStore;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.enums.ParameterIn;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;

/** What an organization is charged for. */
@Path("/v1/usage")
@Produces({MediaType.APPLICATION_JSON, UsageResource.CSV})
@Tag(name = "Usage")
public final class UsageResource {
  static final String CSV = "text/csv";
  static final String COMPLETE_THROUGH = "X-Complete-Through";

  private static final int MOST_GROUPS = 50_000;
  private static final ObjectWriter ROWS = rows();

  private final UsageStore usage;

  public UsageResource(UsageStore usage) {
    this.usage = usage;
  }

  /** Usage in a time. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "UsageReport")
  record UsageReport(
      @Schema(
              description =
                  "What was used before this time will not change any more; what is later may be"
                      + " incomplete. Null until that is known",
              format = "date-time",
              nullable = true)
          String completeThrough,
      List<String> groupBy,
      @Schema(description = "The groups in which something was used, sorted")
          List<UsageView> usage) {}

  @GET
  @Requires(Scope.USAGE_READ)
  @Operation(
      operationId = "getUsage",
      summary = "Add up what was used",
      description =
          "Computed from the event log alone. A sandbox is charged as running and as suspended as"
              + " its status says, and not while it is created or after its end was decided. What"
              + " goes on appears at the end of an hour. What lies across from or to is cut there,"
              + " to the millisecond.",
      parameters = {
        @Parameter(
            name = "from",
            in = ParameterIn.QUERY,
            description = "Used from this time on; without it, ever",
            schema = @Schema(type = "string", format = "date-time")),
        @Parameter(
            name = "to",
            in = ParameterIn.QUERY,
            description = "Used before this time; without it, until now",
            schema = @Schema(type = "string", format = "date-time")),
        @Parameter(
            name = "group_by",
            in = ParameterIn.QUERY,
            description =
                "Some of sandbox, template, size and day (in UTC), with commas between; without"
                    + " it, one sum",
            schema = @Schema(type = "string", example = "size,day")),
        @Parameter(
            name = "format",
            in = ParameterIn.QUERY,
            description =
                "csv has the same columns in every answer, empty where usage is not grouped by"
                    + " them, and completeThrough in the header X-Complete-Through",
            schema =
                @Schema(
                    type = "string",
                    allowableValues = {"json", "csv"},
                    defaultValue = "json"))
      })
  @ApiResponse(
      responseCode = "200",
      description = "The sums",
      content = {
        @Content(
            mediaType = MediaType.APPLICATION_JSON,
            schema = @Schema(implementation = UsageReport.class)),
        @Content(mediaType = CSV, schema = @Schema(type = "string"))
      })
  public Response usage(@Parameter(hidden = true) @Auth Caller caller, @Context UriInfo uri)
      throws JsonProcessingException {
    UsageQuery asked = UsageQuery.parse(caller.orgId(), uri.getQueryParameters());
    UsageStore.Report report =
        usage
            .report(asked.query(), MOST_GROUPS)
            .orElseThrow(
                () ->
                    ProblemException.invalid(
                        "group_by",
                        "That makes more than %,d groups. Ask for a shorter time, or group by less."
                            .formatted(MOST_GROUPS)));
    String completeThrough = report.completeThrough().map(SandboxView::text).orElse(null);
    List<UsageView> views =
        report.groups().entrySet().stream()
            .map(group -> UsageView.of(group.getKey(), group.getValue()))
            .toList();
    return asked.csv()
        ? Response.ok(ROWS.writeValueAsString(views), CSV + ";charset=utf-8")
            .header(COMPLETE_THROUGH, completeThrough)
            .header(HttpHeaders.CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\"")
            .build()
        : Response.ok(
                new UsageReport(completeThrough, asked.groupedBy(), views),
                MediaType.APPLICATION_JSON)
            .build();
  }

  /**
   * No cell can begin a formula in a spreadsheet: names of templates and sizes and ids of sandboxes
   * begin with letters or digits, and what is used is never less than nothing.
   */
  private static ObjectWriter rows() {
    CsvMapper mapper = new CsvMapper();
    CsvSchema schema = mapper.schemaFor(UsageView.class).withHeader();
    return mapper.writer(schema);
  }
}
