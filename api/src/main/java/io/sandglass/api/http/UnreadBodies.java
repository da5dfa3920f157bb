package io.sandglass.api.http;

import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.IOException;
import java.time.Duration;

/**
 * Reads away what is left of a request's body before it is answered, so that its sender hears the
 * answer and the connection can carry the next request. What is too much or too slow for that ends
 * the connection, and the answer says so.
 */
public final class UnreadBodies implements ContainerResponseFilter {
  private static final int MOST = 16 * 1024 * 1024;
  private static final Duration LONGEST = Duration.ofSeconds(10);
  private static final int CHUNK = 16 * 1024;

  @Context private HttpServletRequest http;

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    boolean refused = response.getStatus() >= 400;
    // Asking for a body that the client holds back would be asking it to send what nobody wants.
    boolean heldBack = refused && http.getHeader("Expect") != null;
    if (announcesBody() && (heldBack || (refused && isChunked()) || !readToItsEnd())) {
      response.getHeaders().putSingle("Connection", "close");
    }
  }

  private boolean announcesBody() {
    String length = http.getHeader(HttpHeaders.CONTENT_LENGTH);
    return length == null ? isChunked() : !length.equals("0");
  }

  /** Jetty is lenient with chunks: what is refused may end elsewhere than its sender thinks. */
  private boolean isChunked() {
    return http.getHeader("Transfer-Encoding") != null;
  }

  private boolean readToItsEnd() {
    try {
      ServletInputStream body = http.getInputStream();
      if (body.isFinished()) {
        return true;
      }
      byte[] scratch = new byte[CHUNK];
      long until = System.nanoTime() + LONGEST.toNanos();
      long seen = 0;
      while (seen <= MOST && System.nanoTime() < until) {
        int read = body.read(scratch);
        if (read < 0) {
          return true;
        }
        seen += read;
      }
    } catch (IOException | IllegalStateException e) {
      // Nothing more will come.
    }
    return false;
  }
}
