package io.sandglass.api.http;

import java.security.Principal;

/** Somebody with a key of an organization. */
public record Caller(String orgId, String keyId, String requestId) implements Principal {
  @Override
  public String getName() {
    return keyId;
  }

  /** As the log names them. */
  public String actor() {
    return "key:" + keyId;
  }
}
