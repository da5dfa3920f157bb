package io.sandglass.api.domain;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where webhooks may lead: to TLS URLs whose host has public addresses only, unless the operator
 * allows more.
 *
 * @param http whether URLs without TLS are allowed too
 * @param allowed networks that are not public and allowed nevertheless
 */
public record WebhookTargets(boolean http, List<Network> allowed) {
  private static final int LONGEST = 2_048;

  /**
   * What is no public address (IANA's special-purpose registries). Of IPv6 only global unicast is
   * public, so unique local, link-local, multicast, mapped and translated ones need no line here.
   */
  private static final List<Network> NOT_PUBLIC =
      networks(
          "0.0.0.0/8",
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.0.0.0/24",
          "192.0.2.0/24",
          "192.88.99.0/24",
          "192.168.0.0/16",
          "198.18.0.0/15",
          "198.51.100.0/24",
          "203.0.113.0/24",
          "224.0.0.0/3",
          "2001::/23",
          "2001:db8::/32",
          "2002::/16",
          "3fff::/20");

  private static final List<Network> PUBLIC = networks("0.0.0.0/0", "2000::/3");

  public WebhookTargets {
    allowed = List.copyOf(allowed);
  }

  /** What is wrong with a URL before its host is resolved; empty when nothing is. */
  public Optional<String> flaw(String url) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      return Optional.of("Expected a URL such as https://example.com/hooks.");
    }
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    if (!scheme.equals("https") && !(http && scheme.equals("http"))) {
      return Optional.of(http ? "Expected an http or https URL." : "Expected an https URL.");
    }
    if (uri.getHost() == null || uri.getPort() == 0 || uri.getPort() > 65_535) {
      return Optional.of("Expected a URL with a host, and a port from 1 to 65535 if any.");
    }
    if (uri.getRawUserInfo() != null || uri.getRawFragment() != null) {
      return Optional.of("Expected a URL without credentials and without a fragment.");
    }
    return url.length() <= LONGEST
        ? Optional.empty()
        : Optional.of("Expected up to " + LONGEST + " characters.");
  }

  public boolean allows(InetAddress address) {
    return isIn(allowed, address) || (isIn(PUBLIC, address) && !isIn(NOT_PUBLIC, address));
  }

  private static boolean isIn(List<Network> networks, InetAddress address) {
    return networks.stream().anyMatch(network -> network.contains(address));
  }

  private static List<Network> networks(String... texts) {
    return Stream.of(texts).map(text -> Network.parse(text).orElseThrow()).toList();
  }
}
