package io.sandglass.executor.network;

final class FakeFirewallTest extends FirewallContract {
  private final FakeFirewall firewall = new FakeFirewall();

  @Override
  protected Firewall firewall() {
    return firewall;
  }

  @Override
  protected void disturb(Ipv4 address) {
    firewall.disturb(address);
  }
}
