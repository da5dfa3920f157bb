package io.sandglass.api.secrets;

/** The one key that manages organizations, known by its hash. */
public final class AdminKey {
  private final String hash;

  private AdminKey(String hash) {
    this.hash = hash;
  }

  /**
   * @param secret empty when nobody is the administrator
   */
  public static AdminKey of(String secret) {
    return new AdminKey(secret.isEmpty() ? "" : ApiKey.hash(secret));
  }

  /** In constant time. */
  public boolean matches(String token) {
    return ApiKey.sameHash(ApiKey.hash(token), hash);
  }
}
