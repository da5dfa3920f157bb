package io.sandglass.api.control;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.sandglass.api.domain.Quota;
import io.sandglass.api.domain.Size;
import io.sandglass.api.store.QuotaStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/** What organizations may have, and whether a further sandbox fits. */
public final class Quotas {
  /** Why a sandbox is refused. */
  public static final String EXCEEDED = "quota_exceeded";

  private static final Duration REMEMBERED = Duration.ofSeconds(3);
  private static final int MOST_REMEMBERED = 10_000;

  private final QuotaStore store;
  private final Quota defaults;
  private final InstantSource clock;
  private final Cache<String, Quota> remembered =
      Caffeine.newBuilder()
          .maximumSize(MOST_REMEMBERED)
          .expireAfterWrite(REMEMBERED)
          .executor(Runnable::run)
          .build();

  public Quotas(QuotaStore store, Quota defaults, InstantSource clock) {
    this.store = store;
    this.defaults = defaults;
    this.clock = clock;
  }

  /** As it is. */
  public Quota of(String orgId) {
    return store.wish(orgId).over(defaults);
  }

  /** As it was a moment ago: for what is asked at every request. */
  public Quota recent(String orgId) {
    Quota known = remembered.getIfPresent(orgId);
    if (known == null) {
      known = of(orgId);
      remembered.put(orgId, known);
    }
    return known;
  }

  public void set(String orgId, Quota.Wish wish) {
    store.put(orgId, wish);
    remembered.invalidate(orgId);
  }

  public Quota.Use use(String orgId) {
    return store.use(orgId);
  }

  /** Holds the sandbox's share; the sentence that says why not, when it does not fit. */
  Optional<String> reserve(String orgId, String sandboxId, Size size) {
    return store
        .reserve(
            orgId,
            sandboxId,
            size,
            clock.instant(),
            (wish, use) -> excess(wish.over(defaults), use).isEmpty())
        .map(use -> excess(of(orgId), use).orElse("The quota was used up a moment ago."));
  }

  void release(String sandboxId) {
    store.release(sandboxId);
  }

  private static Optional<String> excess(Quota quota, Quota.Use use) {
    if (use.liveSandboxes() > quota.liveSandboxes()) {
      return Optional.of(
          "The organization may have " + quota.liveSandboxes() + " live sandboxes, and has them.");
    }
    if (use.cpuMillis() > quota.cpuMillis()) {
      return Optional.of(
          "The organization's sandboxes may have %d thousandths of a CPU; with this one it would be %d."
              .formatted(quota.cpuMillis(), use.cpuMillis()));
    }
    long mb = use.memoryBytes() >> 20;
    return mb > quota.memoryMb()
        ? Optional.of(
            "The organization's sandboxes may have %d MiB; with this one it would be %d."
                .formatted(quota.memoryMb(), mb))
        : Optional.empty();
  }
}
