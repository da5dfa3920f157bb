package io.sandglass.api.control;

import io.sandglass.api.domain.Ids;
import io.sandglass.api.secrets.ApiKey;
import io.sandglass.api.store.AccountStore;
import io.sandglass.api.store.AccountStore.Organization;
import io.sandglass.api.store.AccountStore.StoredKey;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Organizations and their keys. */
public final class Accounts {

  /** What a key may do. */
  public static final Set<String> SCOPES = Set.of("read", "write");

  /**
   * A key at the only moment its secret is known.
   *
   * @param token what its holder sends
   */
  public record NewKey(StoredKey key, String token) {
    @Override
    public String toString() {
      return key.id();
    }
  }

  private final AccountStore store;
  private final Ids ids;
  private final InstantSource clock;

  public Accounts(AccountStore store, Ids ids, InstantSource clock) {
    this.store = store;
    this.ids = ids;
    this.clock = clock;
  }

  public Organization createOrganization(String name) {
    Organization organization = new Organization(ids.next("org_"), name, clock.instant());
    store.add(organization);
    return organization;
  }

  public List<Organization> organizations() {
    return store.organizations();
  }

  public Optional<Organization> organization(String id) {
    return store.organization(id);
  }

  public NewKey createKey(String orgId, String name, Set<String> scopes) {
    ApiKey secret = ApiKey.generate(ids);
    StoredKey key =
        new StoredKey(secret.id(), orgId, name, scopes, secret.secretHash(), clock.instant(), null);
    store.add(key);
    return new NewKey(key, secret.token());
  }

  public List<StoredKey> keys(String orgId) {
    return store.keys(orgId);
  }

  /** False when the organization has no such key. */
  public boolean revoke(String orgId, String keyId) {
    return store.revoke(orgId, keyId, clock.instant());
  }

  /** Whether a key that was authenticated before has not been revoked since. */
  public boolean works(String keyId) {
    return store.key(keyId).filter(key -> key.revokedAt() == null).isPresent();
  }

  /** The key that a token belongs to, while it works. */
  public Optional<StoredKey> authenticate(String token) {
    return ApiKey.parse(token)
        .flatMap(
            sent ->
                store
                    .key(sent.id())
                    .filter(key -> sent.matches(key.secretHash()))
                    .filter(key -> key.revokedAt() == null));
  }
}
