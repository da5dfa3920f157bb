package io.sandglass.api.control;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.secrets.ApiKey;
import io.sandglass.api.secrets.Pepper;
import io.sandglass.api.store.AccountStore;
import io.sandglass.api.store.AccountStore.Organization;
import io.sandglass.api.store.AccountStore.StoredKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Organizations and their keys. */
public final class Accounts {
  private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);

  /** A revocation on another instance is promised to work within 5 seconds. */
  private static final Duration REMEMBERED = Duration.ofSeconds(3);

  private static final int MOST_REMEMBERED = 10_000;

  /** Between two notes of a key's last use. */
  private static final Duration NOTED = Duration.ofMinutes(1);

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

  /** What a token leads to. */
  public sealed interface Entry {

    record Granted(StoredKey key) implements Entry {}

    /**
     * @param detail for the client
     */
    record Denied(String detail) implements Entry {}
  }

  private final AccountStore store;
  private final Pepper pepper;
  private final Ids ids;
  private final InstantSource clock;
  private final Cache<String, StoredKey> remembered =
      Caffeine.newBuilder()
          .maximumSize(MOST_REMEMBERED)
          .expireAfterWrite(REMEMBERED)
          .executor(Runnable::run)
          .build();
  private final Set<String> noting = ConcurrentHashMap.newKeySet();

  public Accounts(AccountStore store, Pepper pepper, Ids ids, InstantSource clock) {
    this.store = store;
    this.pepper = pepper;
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

  /**
   * A new key.
   *
   * @param expiresAt null for never
   */
  public NewKey createKey(String orgId, String name, Set<Scope> scopes, Instant expiresAt) {
    ApiKey made = ApiKey.generate(ids);
    StoredKey key =
        new StoredKey(
            made.id(),
            orgId,
            name,
            scopes,
            pepper.hash(made.token()),
            clock.instant(),
            expiresAt,
            null,
            null);
    store.add(key);
    return new NewKey(key, made.token());
  }

  public List<StoredKey> keys(String orgId) {
    return store.keys(orgId);
  }

  /** False when the organization has no such key. Works at once here, elsewhere soon after. */
  public boolean revoke(String orgId, String keyId) {
    boolean revoked = store.revoke(orgId, keyId, clock.instant());
    remembered.invalidate(keyId);
    return revoked;
  }

  /** Whether a key that was let in before still would be. */
  public boolean works(String keyId) {
    return find(keyId)
        .filter(key -> key.revokedAt() == null && !expired(key, clock.instant()))
        .isPresent();
  }

  /** Whose token it is, while it works. */
  public Entry authenticate(String token) {
    return switch (ApiKey.read(token)) {
      case ApiKey.Reading.Malformed() ->
          new Entry.Denied("What was sent is no API key: those begin with sg_.");
      case ApiKey.Reading.Mistyped() ->
          new Entry.Denied("The API key is mistyped: its checksum is wrong.");
      case ApiKey.Reading.Sound(ApiKey sent) -> authenticate(sent, token);
    };
  }

  private Entry authenticate(ApiKey sent, String token) {
    Optional<StoredKey> found =
        find(sent.id()).filter(key -> pepper.matches(token, key.secretHash()));
    if (found.isEmpty()) {
      return new Entry.Denied("The API key is not known.");
    }
    StoredKey key = found.get();
    Instant now = clock.instant();
    if (key.revokedAt() != null) {
      return new Entry.Denied("The API key has been revoked.");
    }
    if (expired(key, now)) {
      return new Entry.Denied("The API key has expired.");
    }
    noteUse(key, now);
    return new Entry.Granted(key);
  }

  private static boolean expired(StoredKey key, Instant now) {
    return key.expiresAt() != null && !now.isBefore(key.expiresAt());
  }

  /**
   * Looked up outside of the cache's own locks: while the database does not answer, nobody waits
   * for another's look-up before their own.
   */
  private Optional<StoredKey> find(String keyId) {
    StoredKey known = remembered.getIfPresent(keyId);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<StoredKey> found = store.key(keyId);
    found.ifPresent(key -> remembered.put(keyId, key));
    return found;
  }

  /** Without making the request wait; that one gets lost in a crash is no harm. */
  private void noteUse(StoredKey key, Instant now) {
    Instant since = now.minus(NOTED);
    if ((key.lastUsedAt() == null || !key.lastUsedAt().isAfter(since)) && noting.add(key.id())) {
      Thread.ofVirtual()
          .name("key-used")
          .start(
              () -> {
                try {
                  store.used(key.id(), now, since);
                  remembered.invalidate(key.id());
                } catch (RuntimeException e) {
                  LOG.debug("the use of {} is not noted: {}", key.id(), e.toString());
                } finally {
                  noting.remove(key.id());
                }
              });
    }
  }
}
