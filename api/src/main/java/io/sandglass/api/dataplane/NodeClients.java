package io.sandglass.api.dataplane;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * Clients that do what they are told and nothing by themselves. There are as many connections as
 * requests at work, which are bounded elsewhere.
 */
final class NodeClients {
  private static final Duration CONNECT = Duration.ofSeconds(3);

  /** Shorter than a node keeps a connection that nobody uses. */
  private static final Duration LIFE = Duration.ofSeconds(20);

  private NodeClients() {}

  static PoolingHttpClientConnectionManagerBuilder connections() {
    return connections(CONNECT);
  }

  /**
   * @param connect how long a connection may take to come about
   */
  static PoolingHttpClientConnectionManagerBuilder connections(Duration connect) {
    return PoolingHttpClientConnectionManagerBuilder.create()
        .setMaxConnTotal(Integer.MAX_VALUE)
        .setMaxConnPerRoute(Integer.MAX_VALUE)
        .setDefaultConnectionConfig(
            ConnectionConfig.custom()
                .setConnectTimeout(Timeout.of(connect))
                .setTimeToLive(TimeValue.of(LIFE))
                .build());
  }

  static RequestConfig.Builder requests() {
    return RequestConfig.custom().setProtocolUpgradeEnabled(false);
  }

  static HttpClientBuilder client(
      PoolingHttpClientConnectionManagerBuilder connections, RequestConfig.Builder requests) {
    return HttpClients.custom()
        .setConnectionManager(connections.build())
        .setDefaultRequestConfig(requests.build())
        .setRoutePlanner(new DefaultRoutePlanner(DefaultSchemePortResolver.INSTANCE))
        .disableRedirectHandling()
        .disableAutomaticRetries()
        .disableCookieManagement()
        .disableAuthCaching()
        .disableContentCompression();
  }

  /** Where a node's paths begin. */
  static String base(URI node) {
    String url = node.toString();
    return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }

  /**
   * @param most bytes
   */
  static byte[] body(ClassicHttpResponse response, int most) throws IOException {
    return response.getEntity() == null
        ? new byte[0]
        : response.getEntity().getContent().readNBytes(most);
  }

  /** Whether the node was never reached, so that nothing can have begun there. */
  static boolean isUnreachable(IOException e) {
    return switch (e) {
      case ConnectException _,
          ConnectTimeoutException _,
          NoRouteToHostException _,
          UnknownHostException _ ->
          true;
      default -> false;
    };
  }
}
