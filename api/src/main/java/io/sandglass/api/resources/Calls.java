package io.sandglass.api.resources;

import io.sandglass.api.control.Origin;
import io.sandglass.api.http.Administrator;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemType;
import jakarta.ws.rs.core.UriInfo;
import java.util.Optional;

/** Requests, as idempotency and the log know them. */
final class Calls {
  /** No organization has this id: theirs begin with {@code org_}. */
  private static final String ADMINISTRATION = "admin";

  private Calls() {}

  /** For what has no idempotency key. */
  static Origin plain(Caller caller) {
    return new Origin(caller.orgId(), caller.actor(), caller.requestId(), null, null);
  }

  /** For what the engine recognises when it comes again. */
  static Idempotency.Call repeatable(Caller caller, String key, UriInfo uri, Body<?> body) {
    return call(caller, key, uri, body, Optional.empty());
  }

  /** For what must never happen twice. */
  static Idempotency.Call once(Caller caller, String key, UriInfo uri, Body<?> body) {
    return call(caller, key, uri, body, Optional.of(ProblemType.EXECUTION_IN_DOUBT));
  }

  /** For what must never happen twice, and is no execution. */
  static Idempotency.Call single(Caller caller, String key, UriInfo uri, Body<?> body) {
    return call(caller, key, uri, body, Optional.of(ProblemType.REQUEST_IN_DOUBT));
  }

  /** For an upload; whether the content is the same is seen later, when it has been read. */
  static Idempotency.Call once(Caller caller, String key, UriInfo uri, String path) {
    return new Idempotency.Call(
        caller.orgId(),
        caller.actor(),
        caller.requestId(),
        key,
        "POST",
        "/" + uri.getPath(),
        path,
        Optional.of(ProblemType.EXECUTION_IN_DOUBT));
  }

  static Idempotency.Call once(Administrator admin, String key, UriInfo uri, Body<?> body) {
    return new Idempotency.Call(
        ADMINISTRATION,
        admin.getName(),
        admin.requestId(),
        key,
        "POST",
        "/" + uri.getPath(),
        body.canonical(),
        Optional.of(ProblemType.REQUEST_IN_DOUBT));
  }

  private static Idempotency.Call call(
      Caller caller, String key, UriInfo uri, Body<?> body, Optional<ProblemType> ifInDoubt) {
    return new Idempotency.Call(
        caller.orgId(),
        caller.actor(),
        caller.requestId(),
        key,
        "POST",
        "/" + uri.getPath(),
        body.canonical(),
        ifInDoubt);
  }
}
