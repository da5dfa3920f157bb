package io.sandglass.engine;

import com.codahale.metrics.health.HealthCheck;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.function.Supplier;

/** Answers 200 when healthy and 503 when not, with a word on it. */
final class HealthServlet extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("serial") // servlets are never serialized
  private final Supplier<HealthCheck.Result> check;

  HealthServlet(Supplier<HealthCheck.Result> check) {
    this.check = check;
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    HealthCheck.Result result = check.get();
    response.setStatus(
        result.isHealthy()
            ? HttpServletResponse.SC_OK
            : HttpServletResponse.SC_SERVICE_UNAVAILABLE);
    response.setContentType("text/plain;charset=utf-8");
    response.getWriter().println(result.getMessage());
  }
}
