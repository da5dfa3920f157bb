package io.sandglass.executor.dataplane;

import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Set;

/** Lets nobody in without the shared key, and takes as long for a wrong one as for the right. */
@PreMatching
public final class KeyFilter implements ContainerRequestFilter {
  private static final String SCHEME = "Bearer ";

  private static final Set<String> OPEN = Set.of(StatusResource.LIVE, StatusResource.READY);

  private final byte[] expected;

  public KeyFilter(String key) {
    if (key.isBlank()) {
      throw new IllegalArgumentException("The data plane needs a key");
    }
    this.expected = digest(key);
  }

  @Override
  public void filter(ContainerRequestContext context) {
    if (OPEN.contains(context.getUriInfo().getPath())) {
      return;
    }
    String header = context.getHeaderString(HttpHeaders.AUTHORIZATION);
    String presented =
        header != null && header.startsWith(SCHEME) ? header.substring(SCHEME.length()) : "";
    if (!MessageDigest.isEqual(expected, digest(presented))) {
      Response problem =
          Problem.response(
              401,
              "unauthorized",
              "Expected the data plane's key",
              RequestId.of(context.getHeaderString(RequestId.HEADER)).orElse(null));
      context.abortWith(
          Response.fromResponse(problem).header(HttpHeaders.WWW_AUTHENTICATE, "Bearer").build());
    }
  }

  /** Of equal length whatever is presented. */
  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }
}
