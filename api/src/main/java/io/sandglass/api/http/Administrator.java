package io.sandglass.api.http;

import java.security.Principal;

/**
 * Somebody with the admin key, or with a key that has the scope of that name.
 *
 * @param actor as the log names them
 */
public record Administrator(String actor, String requestId) implements Principal {
  @Override
  public String getName() {
    return actor;
  }
}
