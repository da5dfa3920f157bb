package io.sandglass.api.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Problems for what fails before or below JAX-RS: broken requests, ambiguous paths, large headers.
 */
public final class JettyProblems extends ErrorHandler {
  private static final Logger LOG = LoggerFactory.getLogger(JettyProblems.class);

  private final ObjectMapper json;
  private final RequestIds requestIds;

  public JettyProblems(ObjectMapper json, RequestIds requestIds) {
    this.json = json;
    this.requestIds = requestIds;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws IOException {
    ProblemType type = ProblemType.ofStatus(response.getStatus());
    String id =
        request.getAttribute(RequestIds.ATTRIBUTE) instanceof String given
            ? given
            : requestIds.choose(request.getHeaders().get(RequestIds.HEADER));
    if (type.status() >= 500) {
      LOG.warn(
          "request_id={} status={} path={}",
          id,
          type.status(),
          path(request),
          (Throwable) request.getAttribute(ErrorHandler.ERROR_EXCEPTION));
    }
    byte[] body =
        json.writeValueAsBytes(Problem.of(type, type.description(), path(request), id, List.of()));
    response.setStatus(type.status());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.MEDIA_TYPE);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.getHeaders().put(RequestIds.HEADER, id);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    if (announcesBody(request.getHeaders())) {
      response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
    }
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }

  /** Nobody will read it. */
  private static boolean announcesBody(HttpFields headers) {
    String length = headers.get(HttpHeader.CONTENT_LENGTH);
    return length == null ? headers.contains(HttpHeader.TRANSFER_ENCODING) : !length.equals("0");
  }

  private static String path(Request request) {
    return request.getHttpURI() == null ? null : request.getHttpURI().getPath();
  }
}
