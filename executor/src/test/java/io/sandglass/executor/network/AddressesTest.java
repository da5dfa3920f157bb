package io.sandglass.executor.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class AddressesTest {
  private Instant now = Instant.EPOCH;

  /** Five that may be given: .2 to .6. */
  private final Addresses addresses =
      new Addresses(Range.network("10.208.0.0/29"), Duration.ofSeconds(30), () -> now);

  private String take(String holder) {
    return addresses.take(holder).map(Ipv4::toString).orElse("none");
  }

  @Test
  void aReleasedAddressRestsAndGoesToTheNextAfterThat() {
    assertThat(take("a")).isEqualTo("10.208.0.2");
    assertThat(take("b")).isEqualTo("10.208.0.3");
    assertThat(take("c")).isEqualTo("10.208.0.4");
    assertThat(take("d")).isEqualTo("10.208.0.5");
    addresses.release("a");
    assertThat(take("e")).isEqualTo("10.208.0.6");

    now = now.plusSeconds(29);
    assertThat(take("f")).isEqualTo("none");
    now = now.plusSeconds(1);
    assertThat(take("f")).isEqualTo("10.208.0.2");
    assertThat(take("f")).isEqualTo("10.208.0.2");
  }

  @Test
  void whatAContainerWasFoundToHaveIsNobodyElses() {
    addresses.hold("found", Ipv4.parse("10.208.0.4"));
    assertThat(take("a")).isEqualTo("10.208.0.5");
    assertThat(take("b")).isEqualTo("10.208.0.6");
    assertThat(take("c")).isEqualTo("10.208.0.2");
    assertThat(take("d")).isEqualTo("10.208.0.3");
    assertThat(take("e")).isEqualTo("none");
  }

  @Test
  void aClaimPassesItOnWithoutARest() {
    assertThat(take("spare")).isEqualTo("10.208.0.2");
    addresses.pass("spare", "a");
    assertThat(addresses.of("spare")).isEmpty();
    assertThat(take("a")).isEqualTo("10.208.0.2");
  }
}
