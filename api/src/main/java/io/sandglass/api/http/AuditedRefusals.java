package io.sandglass.api.http;

import io.sandglass.api.control.Origin;
import io.sandglass.api.control.Refusals;
import io.swagger.v3.oas.annotations.Operation;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Context;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has noted, before the client hears of it, that a key was refused another organization's sandbox,
 * or a new one beyond the quota. The answer is the same when that fails.
 */
public final class AuditedRefusals implements ContainerResponseFilter {
  private static final Logger LOG = LoggerFactory.getLogger(AuditedRefusals.class);

  /** Elsewhere, too many requests say nothing about quotas. */
  private static final String CREATION = "createSandbox";

  private static final Set<String> OF_QUOTAS =
      Set.of(ProblemType.QUOTA_EXCEEDED.code(), ProblemType.TOO_MANY_REQUESTS.code());

  private final Refusals refusals;

  @Context private ResourceInfo resource;

  public AuditedRefusals(Refusals refusals) {
    this.refusals = refusals;
  }

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    if (response.getEntity() instanceof Problem problem
        && request.getSecurityContext().getUserPrincipal() instanceof Caller caller) {
      try {
        note(request, problem, caller);
      } catch (RuntimeException e) {
        LOG.warn("request={} refusal not noted: {}", caller.requestId(), e.toString());
      }
    }
  }

  private void note(ContainerRequestContext request, Problem problem, Caller caller) {
    if (problem.code().equals(ProblemType.FOREIGN_ORGANIZATION.code())) {
      refusals.ofSandbox(
          request.getUriInfo().getPathParameters().getFirst("id"), refused(problem, caller));
    } else if (OF_QUOTAS.contains(problem.code()) && operation().equals(CREATION)) {
      refusals.ofOrganization(refused(problem, caller));
    }
  }

  private Refusals.Refused refused(Problem problem, Caller caller) {
    return new Refusals.Refused(
        new Origin(caller.orgId(), caller.actor(), caller.requestId(), null, null),
        operation(),
        problem.code(),
        problem.detail());
  }

  private String operation() {
    return resource.getResourceMethod().getAnnotation(Operation.class).operationId();
  }
}
