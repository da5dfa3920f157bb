package io.sandglass.api.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WebhookTargetsTest {
  private static final WebhookTargets STRICT = new WebhookTargets(false, List.of());

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.200",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1"
      })
  void whatIsNotPublicIsRefused(String address) {
    assertThat(STRICT.allows(InetAddress.ofLiteral(address))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700::1111",
        "2a00::1"
      })
  void whatIsPublicIsAllowed(String address) {
    assertThat(STRICT.allows(InetAddress.ofLiteral(address))).isTrue();
  }

  @Test
  void theOperatorAllowsNetworksOneByOne() {
    WebhookTargets intranet =
        new WebhookTargets(
            false,
            List.of(
                Network.parse("10.1.0.0/20").orElseThrow(),
                Network.parse("fd00::/8").orElseThrow()));

    assertThat(intranet.allows(InetAddress.ofLiteral("10.1.15.255"))).isTrue();
    assertThat(intranet.allows(InetAddress.ofLiteral("10.1.16.0"))).isFalse();
    assertThat(intranet.allows(InetAddress.ofLiteral("fd12::1"))).isTrue();
    assertThat(intranet.allows(InetAddress.ofLiteral("fc00::1"))).isFalse();
    assertThat(intranet.allows(InetAddress.ofLiteral("127.0.0.1"))).isFalse();
    assertThat(intranet.allows(InetAddress.ofLiteral("1.1.1.1"))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/hooks",
        "example.com/hooks",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///hooks",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://exa mple.com/",
        "https://0x7f.1/",
        "https://exa_mple/"
      })
  void otherUrlsAreRefused(String url) {
    assertThat(STRICT.flaw(url)).isNotEmpty();
  }

  @Test
  void httpIsForThoseWhoAllowIt() {
    assertThat(STRICT.flaw("https://example.com:8443/hooks?a=b")).isEmpty();
    assertThat(STRICT.flaw("HTTPS://[2a00::1]/")).isEmpty();
    assertThat(new WebhookTargets(true, List.of()).flaw("http://example.com")).isEmpty();
    assertThat(STRICT.flaw("https://example.com/" + "a".repeat(2_048))).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "x/8", "::/129", "/8", "::/-1"})
  void whatIsNoNetworkIsNotRead(String text) {
    assertThat(Network.parse(text)).isEmpty();
  }
}
