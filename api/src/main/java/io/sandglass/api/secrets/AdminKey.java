package io.sandglass.api.secrets;

/** The one key that is configured instead of made: who has it manages everything. */
public final class AdminKey {
  private final Pepper pepper;
  private final String hash;

  private AdminKey(Pepper pepper, String hash) {
    this.pepper = pepper;
    this.hash = hash;
  }

  /**
   * @param secret empty when nobody has it
   */
  public static AdminKey of(String secret, Pepper pepper) {
    return new AdminKey(pepper, secret.isEmpty() ? "" : pepper.hash(secret));
  }

  /** In constant time. */
  public boolean matches(String token) {
    return pepper.matches(token, hash);
  }
}
