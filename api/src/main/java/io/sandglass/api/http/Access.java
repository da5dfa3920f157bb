package io.sandglass.api.http;

import io.sandglass.api.control.Accounts;
import io.sandglass.api.control.Accounts.Entry;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.secrets.AdminKey;
import io.sandglass.api.store.AccountStore.StoredKey;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.DynamicFeature;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.FeatureContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.SecurityContext;
import java.lang.reflect.AnnotatedElement;
import java.security.Principal;
import java.util.List;
import java.util.Locale;

/**
 * Lets nobody in without a key in {@code Authorization: Bearer …} that has the scope which the
 * operation {@link Requires}.
 */
public final class Access implements DynamicFeature {
  private static final String SCHEME = "bearer ";
  private static final String CHALLENGE = "Bearer realm=\"sandglass\"";

  private final Accounts accounts;
  private final AdminKey adminKey;
  private final InFlight inFlight;

  public Access(Accounts accounts, AdminKey adminKey, InFlight inFlight) {
    this.accounts = accounts;
    this.adminKey = adminKey;
    this.inFlight = inFlight;
  }

  @Override
  public void configure(ResourceInfo operation, FeatureContext context) {
    Requires requires = operation.getResourceMethod().getAnnotation(Requires.class);
    if (requires != null) {
      Scope scope = requires.value();
      ContainerRequestFilter filter =
          scope == Scope.ADMIN
              ? request -> enter(request, administrator(request))
              : request -> enter(request, caller(request, scope));
      context.register(filter, Priorities.AUTHENTICATION);
    } else if (path(operation).startsWith("/v1")) {
      throw new IllegalStateException(
          operation.getResourceMethod() + " says no scope: annotate it with @Requires");
    }
  }

  private static String path(ResourceInfo operation) {
    return path(operation.getResourceClass()) + path(operation.getResourceMethod());
  }

  private static String path(AnnotatedElement element) {
    Path path = element.getAnnotation(Path.class);
    return path == null || path.value().equals("/")
        ? ""
        : path.value().startsWith("/") ? path.value() : "/" + path.value();
  }

  private Caller caller(ContainerRequestContext request, Scope scope) {
    String token = token(request);
    if (adminKey.matches(token)) {
      throw insufficient(
          scope, "The admin key belongs to no organization: use a key of one for this.");
    }
    StoredKey key = key(token, scope);
    inFlight.enter(key.orgId(), request);
    return new Caller(key.orgId(), key.id(), requestId(request));
  }

  private Administrator administrator(ContainerRequestContext request) {
    String token = token(request);
    String name = adminKey.matches(token) ? "administrator" : "key:" + key(token, Scope.ADMIN).id();
    return new Administrator(name, requestId(request));
  }

  private StoredKey key(String token, Scope scope) {
    return switch (accounts.authenticate(token)) {
      case Entry.Granted(StoredKey key) -> {
        if (!key.scopes().contains(scope)) {
          throw insufficient(scope, "The key lacks the scope " + scope.text() + ".");
        }
        yield key;
      }
      case Entry.Denied(String detail) ->
          throw unauthorized(detail, CHALLENGE + ", error=\"invalid_token\"");
    };
  }

  private static String token(ContainerRequestContext request) {
    List<String> sent = request.getHeaders().getOrDefault(HttpHeaders.AUTHORIZATION, List.of());
    if (sent.size() != 1 || !sent.getFirst().toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
      throw unauthorized("Expected one header Authorization: Bearer <api key>.", CHALLENGE);
    }
    return sent.getFirst().substring(SCHEME.length()).strip();
  }

  private static ProblemException unauthorized(String detail, String challenge) {
    return new ProblemException(ProblemType.UNAUTHORIZED, detail)
        .with(HttpHeaders.WWW_AUTHENTICATE, challenge);
  }

  private static ProblemException insufficient(Scope scope, String detail) {
    return new ProblemException(ProblemType.INSUFFICIENT_SCOPE, detail)
        .with(
            HttpHeaders.WWW_AUTHENTICATE,
            CHALLENGE + ", error=\"insufficient_scope\", scope=\"" + scope.text() + "\"");
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
