package io.sandglass.executor.dataplane;

import com.codahale.metrics.health.HealthCheck;
import com.codahale.metrics.health.HealthCheckRegistry;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;
import java.util.TreeMap;

/** Whether this process lives, and whether it can do its work. Needs no key and tells nothing. */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public final class StatusResource {
  static final String LIVE = "healthz";
  static final String READY = "readyz";

  private final HealthCheckRegistry checks;

  public StatusResource(HealthCheckRegistry checks) {
    this.checks = checks;
  }

  @GET
  @Path(LIVE)
  public Map<String, String> live() {
    return Map.of("status", "ok");
  }

  /** 503 while one of the health checks fails. */
  @GET
  @Path(READY)
  public Response ready() {
    Map<String, Boolean> results = new TreeMap<>();
    checks
        .runHealthChecks()
        .forEach((String name, HealthCheck.Result result) -> results.put(name, result.isHealthy()));
    boolean ready = !results.containsValue(false);
    return Response.status(ready ? 200 : 503).entity(results).build();
  }
}
