package io.sandglass.api.http;

import io.sandglass.api.control.Accounts;
import io.sandglass.api.secrets.AdminKey;
import io.sandglass.api.store.AccountStore.StoredKey;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.SecurityContext;
import java.security.Principal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Knows callers by {@code Authorization: Bearer …}. Keys are looked up at every request: a
 * revocation works at once.
 */
public final class Authentication {
  private static final String SCHEME = "bearer ";
  private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");

  private Authentication() {}

  /** For what belongs to an organization. */
  public static ContainerRequestFilter callers(Accounts accounts) {
    return request -> {
      StoredKey key =
          token(request).flatMap(accounts::authenticate).orElseThrow(Authentication::refusal);
      String scope = READING.contains(request.getMethod()) ? "read" : "write";
      if (!key.scopes().contains(scope)) {
        throw new ProblemException(
            ProblemType.INSUFFICIENT_SCOPE, "The key lacks the scope " + scope + ".");
      }
      enter(request, new Caller(key.orgId(), key.id(), requestId(request)));
    };
  }

  /** For what belongs to the installation. */
  public static ContainerRequestFilter administrators(AdminKey key) {
    return request -> {
      var _ = token(request).filter(key::matches).orElseThrow(Authentication::refusal);
      enter(request, new Administrator(requestId(request)));
    };
  }

  private static Optional<String> token(ContainerRequestContext request) {
    List<String> sent = request.getHeaders().getOrDefault(HttpHeaders.AUTHORIZATION, List.of());
    return Optional.of(sent)
        .filter(all -> all.size() == 1)
        .map(List::getFirst)
        .filter(value -> value.toLowerCase(Locale.ROOT).startsWith(SCHEME))
        .map(value -> value.substring(SCHEME.length()).strip());
  }

  private static ProblemException refusal() {
    return new ProblemException(
        ProblemType.UNAUTHORIZED, "Expected Authorization: Bearer <api key> with a valid key.");
  }

  private static String requestId(ContainerRequestContext request) {
    return (String) request.getProperty(RequestIds.ATTRIBUTE);
  }

  private static void enter(ContainerRequestContext request, Principal principal) {
    boolean secure = request.getSecurityContext().isSecure();
    request.setSecurityContext(
        new SecurityContext() {
          @Override
          public Principal getUserPrincipal() {
            return principal;
          }

          @Override
          public boolean isUserInRole(String role) {
            return false;
          }

          @Override
          public boolean isSecure() {
            return secure;
          }

          @Override
          public String getAuthenticationScheme() {
            return "BEARER";
          }
        });
  }
}
