package io.sandglass.api.http;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.io.IOException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Bounds how many requests of one organization are at work at once on this instance, so that the
 * threads, the memory and the database's connections are not all its own. A request counts from
 * when it is known whose it is until its answer has been written.
 */
public final class InFlight implements Filter {
  private static final String ATTRIBUTE = "io.sandglass.in_flight";

  private final int most;
  private final ConcurrentMap<String, Integer> atWork = new ConcurrentHashMap<>();

  /**
   * @param most of one organization
   */
  public InFlight(int most) {
    this.most = most;
  }

  /**
   * Counts a request of the organization.
   *
   * @throws ProblemException when there are too many
   */
  void enter(String orgId, ContainerRequestContext request) {
    int now = atWork.merge(orgId, 1, Integer::sum);
    if (now > most) {
      leave(orgId);
      throw new ProblemException(
              ProblemType.TOO_MANY_REQUESTS,
              "The organization has " + most + " requests at work, as many as it may have.")
          .with("Retry-After", "1")
          .with("RateLimit-Limit", Integer.toString(most))
          .with("RateLimit-Remaining", "0")
          .with("RateLimit-Reset", "1");
    }
    request.setProperty(ATTRIBUTE, orgId);
  }

  private void leave(String orgId) {
    atWork.computeIfPresent(orgId, (_, count) -> count == 1 ? null : count - 1);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    try {
      chain.doFilter(request, response);
    } finally {
      if (request.getAttribute(ATTRIBUTE) instanceof String orgId) {
        if (request.isAsyncStarted()) {
          request.getAsyncContext().addListener(new Leaving(orgId));
        } else {
          leave(orgId);
        }
      }
    }
  }

  /** For an answer that is written after the request has left its first thread. */
  private final class Leaving implements AsyncListener {
    private final String orgId;

    Leaving(String orgId) {
      this.orgId = orgId;
    }

    @Override
    public void onComplete(AsyncEvent event) {
      leave(orgId);
    }

    @Override
    public void onTimeout(AsyncEvent event) {
      // It completes next.
    }

    @Override
    public void onError(AsyncEvent event) {
      // It completes next.
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
      event.getAsyncContext().addListener(this);
    }
  }
}
