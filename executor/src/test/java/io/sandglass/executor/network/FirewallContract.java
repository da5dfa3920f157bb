package io.sandglass.executor.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What every packet filter must do, real or not. */
public abstract class FirewallContract {
  private static final Ipv4 ONE = Ipv4.parse("10.208.0.2");
  private static final Ipv4 TWO = Ipv4.parse("10.208.0.3");
  private static final Reach SOME =
      new Reach(
          Ranges.networks(List.of("203.0.113.128/25", "198.51.100.7", "198.51.100.9"))
              .minus(Ranges.networks(List.of("203.0.113.200"))),
          Optional.of(Ranges.ports(List.of(443, 80, 81))));
  private static final Reach NETWORKS =
      new Reach(Ranges.networks(List.of("203.0.113.128/25")), Optional.empty());

  protected abstract Firewall firewall();

  /** Somebody else takes away what one address reaches. */
  protected abstract void disturb(Ipv4 address);

  @Test
  void beginsWithWhatItIsGivenAndNothingElse() {
    firewall().establish(Map.of(ONE, Reach.ALL));
    firewall().establish(Map.of(TWO, SOME));

    assertThat(firewall().inForce()).isEqualTo(Map.of(TWO, SOME));
    assertThat(firewall().reassert()).isFalse();
  }

  @Test
  void replacesWhatAnAddressReaches() {
    firewall().establish(Map.of(TWO, Reach.ALL));
    for (Reach reach :
        List.of(SOME, Reach.ALL, NETWORKS, SOME, NETWORKS, Reach.NOTHING, SOME, SOME)) {
      firewall().admit(ONE, reach);

      assertThat(firewall().inForce())
          .isEqualTo(
              reach.equals(Reach.NOTHING)
                  ? Map.of(TWO, Reach.ALL)
                  : Map.of(ONE, reach, TWO, Reach.ALL));
    }
  }

  @Test
  void revokesHoweverOftenAsked() {
    firewall().establish(Map.of(ONE, SOME, TWO, SOME));

    firewall().revoke(ONE);
    firewall().revoke(ONE);

    assertThat(firewall().inForce()).isEqualTo(Map.of(TWO, SOME));
  }

  @Test
  void putsRightWhatSomebodyElseChanged() {
    firewall().establish(Map.of(ONE, SOME, TWO, NETWORKS));
    disturb(TWO);
    assertThat(firewall().inForce()).isNotEqualTo(Map.of(ONE, SOME, TWO, NETWORKS));

    assertThat(firewall().reassert()).isTrue();

    assertThat(firewall().inForce()).isEqualTo(Map.of(ONE, SOME, TWO, NETWORKS));
    assertThat(firewall().reassert()).isFalse();
  }

  @Test
  void goesOnAfterSomebodyElseChangedWhatItChanges() {
    firewall().establish(Map.of(ONE, SOME, TWO, NETWORKS));
    disturb(TWO);

    firewall().admit(TWO, SOME);

    assertThat(firewall().inForce()).isEqualTo(Map.of(ONE, SOME, TWO, SOME));
  }
}
