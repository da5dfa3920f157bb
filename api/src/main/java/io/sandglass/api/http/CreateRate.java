package io.sandglass.api.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.sandglass.api.control.Quotas;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Duration;

/**
 * How quickly each organization may create sandboxes: a bucket of one second's tokens, on this
 * instance. The answer says how many are left, in the fields of
 * draft-ietf-httpapi-ratelimit-headers-06.
 */
public final class CreateRate {
  private static final int MOST_ORGANIZATIONS = 10_000;
  private static final Duration WINDOW = Duration.ofSeconds(1);

  /** After so long a bucket is full, as a new one is. */
  private static final Duration FULL = Duration.ofMinutes(1);

  private record Key(String orgId, int perSecond) {}

  private final Quotas quotas;
  private final Cache<Key, Bucket> buckets =
      Caffeine.newBuilder()
          .maximumSize(MOST_ORGANIZATIONS)
          .expireAfterAccess(FULL)
          .executor(Runnable::run)
          .build();

  public CreateRate(Quotas quotas) {
    this.quotas = quotas;
  }

  /**
   * Takes a token.
   *
   * @throws ProblemException when there is none
   */
  public void take(String orgId, HttpServletResponse response) {
    int perSecond = quotas.recent(orgId).createsPerSecond();
    ConsumptionProbe probe =
        buckets.get(new Key(orgId, perSecond), CreateRate::bucket).tryConsumeAndReturnRemaining(1);
    response.setHeader("RateLimit-Policy", perSecond + ";w=" + WINDOW.toSeconds());
    response.setHeader("RateLimit-Limit", Integer.toString(perSecond));
    long wait =
        seconds(
            probe.isConsumed() ? probe.getNanosToWaitForReset() : probe.getNanosToWaitForRefill());
    left(probe.getRemainingTokens(), wait, response);
    if (!probe.isConsumed()) {
      throw new ProblemException(
              ProblemType.TOO_MANY_REQUESTS,
              "The organization may create " + perSecond + " sandboxes a second.")
          .with("Retry-After", Long.toString(wait));
    }
  }

  /** For an answer that says that there is no room: nothing is left for a while. */
  public static void noRoom(HttpServletResponse response) {
    left(0, ThrowableMapper.RETRY_AFTER, response);
  }

  private static void left(long tokens, long seconds, HttpServletResponse response) {
    response.setHeader("RateLimit-Remaining", Long.toString(tokens));
    response.setHeader("RateLimit-Reset", Long.toString(seconds));
  }

  private static Bucket bucket(Key key) {
    return Bucket.builder()
        .addLimit(limit -> limit.capacity(key.perSecond()).refillGreedy(key.perSecond(), WINDOW))
        .build();
  }

  private static long seconds(long nanos) {
    return Math.max(1, Duration.ofNanos(nanos + 999_999_999).toSeconds());
  }
}
