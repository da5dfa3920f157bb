package io.sandglass.api.http;

import java.security.Principal;

/** The holder of the admin key. */
public record Administrator(String requestId) implements Principal {
  @Override
  public String getName() {
    return "administrator";
  }
}
