package io.sandglass.api.http;

import io.sandglass.api.domain.Ids;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.regex.Pattern;
import org.slf4j.MDC;

/** Gives every request an id: the client's own, or a new one where that is no proper id. */
public final class RequestIds implements Filter {
  static final String HEADER = "X-Request-Id";
  static final String ATTRIBUTE = "io.sandglass.request_id";
  private static final Pattern VISIBLE_ASCII = Pattern.compile("[!-~]{1,128}");

  private final Ids ids;

  public RequestIds(Ids ids) {
    this.ids = ids;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    String id = choose(((HttpServletRequest) request).getHeader(HEADER));
    request.setAttribute(ATTRIBUTE, id);
    ((HttpServletResponse) response).setHeader(HEADER, id);
    try (var _ = MDC.putCloseable("request_id", id)) {
      chain.doFilter(request, response);
    }
  }

  /**
   * @param sent null when the client sent none
   */
  String choose(String sent) {
    return sent != null && VISIBLE_ASCII.matcher(sent).matches() ? sent : ids.next("req_");
  }
}
