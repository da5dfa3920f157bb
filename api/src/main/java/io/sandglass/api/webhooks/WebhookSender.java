package io.sandglass.api.webhooks;

import io.sandglass.api.domain.Delivery.Attempt;
import io.sandglass.api.secrets.WebhookSecret;
import io.sandglass.api.webhooks.TargetResolver.ForbiddenTargetException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.HttpRequestRetryStrategy;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.DefaultHttpRequestRetryStrategy;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * Sends messages as Standard Webhooks 1.0 has them. A connection is made for each, to an address
 * that has just been checked, never through a proxy; redirects are not followed.
 */
public final class WebhookSender implements AutoCloseable {
  /** Read so that an endpoint can finish its answer; nobody looks at it. */
  private static final int LARGEST_ANSWER = 16 * 1024;

  private static final int TOO_MANY_REQUESTS = 429;
  private static final int UNAVAILABLE = 503;

  /** Reads what an endpoint says of when to come again. It is not what tries again. */
  private static final HttpRequestRetryStrategy RETRY_AFTER =
      new DefaultHttpRequestRetryStrategy(0, TimeValue.ZERO_MILLISECONDS);

  /** More is not asked for in earnest, and could not be counted with. */
  private static final Duration LONGEST_PAUSE = Duration.ofDays(7);

  private final CloseableHttpClient client;
  private final ScheduledExecutorService timer;
  private final InstantSource clock;
  private final Duration patience;

  /**
   * @param timer cuts off endpoints that take too long
   * @param patience from resolving the host to the answer's status
   * @param most how many messages may be on their way at once
   */
  public WebhookSender(
      TargetResolver resolver,
      ScheduledExecutorService timer,
      InstantSource clock,
      Duration patience,
      int most,
      String version) {
    this.timer = timer;
    this.clock = clock;
    this.patience = patience;
    Timeout timeout = Timeout.of(patience);
    this.client =
        HttpClients.custom()
            .setConnectionManager(
                PoolingHttpClientConnectionManagerBuilder.create()
                    .setDnsResolver(resolver)
                    .setMaxConnTotal(most)
                    .setMaxConnPerRoute(most)
                    .setDefaultConnectionConfig(
                        ConnectionConfig.custom()
                            .setConnectTimeout(timeout)
                            .setSocketTimeout(timeout)
                            .build())
                    .build())
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setConnectionRequestTimeout(timeout)
                    .setResponseTimeout(timeout)
                    .setProtocolUpgradeEnabled(false)
                    .build())
            .setRoutePlanner(new DefaultRoutePlanner(DefaultSchemePortResolver.INSTANCE))
            .setConnectionReuseStrategy((request, response, context) -> false)
            .setUserAgent("Sandglass-Webhooks/" + version)
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableContentCompression()
            .build();
  }

  /**
   * Sends one message.
   *
   * @param secrets it is signed with each of them
   */
  public Attempt send(URI url, String id, String payload, List<WebhookSecret> secrets) {
    Instant at = clock.instant();
    HttpPost request = new HttpPost(url);
    request.setHeader("webhook-id", id);
    request.setHeader("webhook-timestamp", Long.toString(at.getEpochSecond()));
    request.setHeader(
        "webhook-signature",
        secrets.stream()
            .map(secret -> secret.sign(id, at, payload))
            .collect(Collectors.joining(" ")));
    request.setEntity(
        new ByteArrayEntity(
            payload.getBytes(StandardCharsets.UTF_8), ContentType.APPLICATION_JSON));
    ScheduledFuture<?> cut =
        timer.schedule(request::cancel, patience.toMillis(), TimeUnit.MILLISECONDS);
    Optional<Integer> heard = Optional.empty();
    Optional<Instant> notBefore = Optional.empty();
    try (ClassicHttpResponse response = client.executeOpen(null, request, null)) {
      heard = Optional.of(response.getCode());
      notBefore = notBefore(response);
      finish(response);
      // Whatever is left of the answer is not waited for: closing it fails then.
      request.cancel();
    } catch (IOException e) {
      if (heard.isEmpty()) {
        return new Attempt(
            at, heard, Optional.of(reason(e, request.isCancelled())), Optional.empty());
      }
    } finally {
      cut.cancel(false);
    }
    return new Attempt(at, heard, flaw(heard.get()), notBefore);
  }

  /** When an endpoint that has too much to do wants to be called again. */
  private Optional<Instant> notBefore(ClassicHttpResponse response) {
    if (response.getCode() != TOO_MANY_REQUESTS && response.getCode() != UNAVAILABLE) {
      return Optional.empty();
    }
    Duration pause =
        Duration.ofMillis(RETRY_AFTER.getRetryInterval(response, 1, null).toMilliseconds());
    return pause.isPositive()
        ? Optional.of(
            clock.instant().plus(pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE))
        : Optional.empty();
  }

  private static void finish(ClassicHttpResponse response) {
    if (response.getEntity() == null) {
      return;
    }
    try {
      InputStream body = response.getEntity().getContent();
      var _ = body.readNBytes(LARGEST_ANSWER);
    } catch (IOException e) {
      // Its status has been heard.
    }
  }

  private static Optional<String> flaw(int status) {
    return switch (status / 100) {
      case 2 -> Optional.empty();
      case 3 ->
          Optional.of("The endpoint redirects (status " + status + "), which is not followed.");
      default -> Optional.of("The endpoint answered with status " + status + ".");
    };
  }

  private String reason(IOException e, boolean cut) {
    return switch (e) {
      case ForbiddenTargetException forbidden -> forbidden.getMessage();
      case UnknownHostException unknown -> "The host cannot be resolved.";
      case SSLException tls -> "TLS failed: " + tls.getMessage();
      case SocketTimeoutException _ -> late();
      case java.net.ConnectException _ -> "The endpoint takes no connection.";
      default -> cut ? late() : "The connection broke off before an answer.";
    };
  }

  private String late() {
    return "The endpoint did not answer within " + patience.toMillis() + " ms.";
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}
