package io.sandglass.executor.network.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.executor.HostPrograms;
import io.sandglass.executor.network.Firewall;
import io.sandglass.executor.network.FirewallContract;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table of the kernel that no packet meets. */
final class NftFirewallIT extends FirewallContract {
  private static final String TABLE = "sgt-table";
  private static final HostCommands COMMANDS = new HostCommands(Optional.empty());

  private final NftFirewall firewall =
      new NftFirewall(
          TABLE,
          TABLE,
          Platform.of(
              Ranges.networks(List.of("10.208.0.0/22")),
              List.of(),
              List.of("192.0.2.0/24"),
              List.of("1.1.1.1", "8.8.8.8")),
          COMMANDS);

  @Override
  protected Firewall firewall() {
    return firewall;
  }

  @Override
  protected void disturb(Ipv4 address) {
    firewall
        .inForce()
        .get(address)
        .networks()
        .list()
        .forEach(
            range ->
                HostPrograms.run(
                    "nft",
                    "delete element inet %s allowed { %s . %s-%s }"
                        .formatted(
                            TABLE, address, new Ipv4(range.first()), new Ipv4(range.last()))));
  }

  @AfterEach
  void demolish() {
    firewall.demolish();
  }

  @Test
  void putsRightItsRulesAndItsTable() {
    Map<Ipv4, Reach> one = Map.of(Ipv4.parse("10.208.0.2"), Reach.ALL);
    firewall.establish(one);

    HostPrograms.run("nft", "insert rule inet " + TABLE + " leave accept");
    assertThat(firewall.reassert()).isTrue();
    HostPrograms.run("nft", "delete element inet " + TABLE + " never { 169.254.0.0/16 }");
    assertThat(firewall.reassert()).isTrue();
    HostPrograms.run("nft", "delete table inet " + TABLE);
    assertThat(firewall.reassert()).isTrue();

    assertThat(firewall.reassert()).isFalse();
    assertThat(firewall.inForce()).isEqualTo(one);
  }

  @Test
  void holdsAThousandSandboxes() {
    Map<Ipv4, Reach> many = new HashMap<>();
    for (int i = 2; i < 1002; i++) {
      many.put(new Ipv4(Ipv4.parse("10.208.0.0").bits() + i), Reach.ALL);
    }

    firewall.establish(many);

    assertThat(firewall.reassert()).isFalse();
  }

  /** As that of a Docker Engine within a container, which has another one after a restart. */
  @Test
  void isWhereTheEngineIs(@TempDir Path directory) throws Exception {
    Path pidFile = directory.resolve("engine.pid");
    Map<Ipv4, Reach> one = Map.of(Ipv4.parse("10.208.0.2"), Reach.ALL);
    Process first = inItsOwnNamespace(pidFile);
    NftFirewall elsewhere =
        new NftFirewall(
            TABLE,
            TABLE,
            new Platform(Ranges.NONE, Ranges.NONE),
            new HostCommands(Optional.of(pidFile)));
    Process second = null;
    try {
      elsewhere.establish(one);
      assertThat(tablesAt(first)).contains(TABLE);
      assertThat(HostPrograms.run("nft", "list", "tables")).doesNotContain(TABLE);

      second = inItsOwnNamespace(pidFile);
      assertThat(elsewhere.reassert()).isTrue();
      assertThat(tablesAt(second)).contains(TABLE);
      assertThat(elsewhere.inForce()).isEqualTo(one);
    } finally {
      elsewhere.demolish();
      first.destroyForcibly().onExit().join();
      if (second != null) {
        second.destroyForcibly().onExit().join();
      }
    }
  }

  private static Process inItsOwnNamespace(Path pidFile) throws Exception {
    Process process = new ProcessBuilder("unshare", "--net", "sleep", "infinity").start();
    Path namespace = Path.of("/proc", Long.toString(process.pid()), "ns", "net");
    Path own = Files.readSymbolicLink(Path.of("/proc/self/ns/net"));
    Awaitility.await()
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> !Files.readSymbolicLink(namespace).equals(own));
    Files.writeString(pidFile, process.pid() + "\n");
    return process;
  }

  private static String tablesAt(Process process) {
    return HostPrograms.run(
        "nsenter", "--net=/proc/" + process.pid() + "/ns/net", "nft", "list", "tables");
  }

  @Test
  void findsNothingWrongWithThisHost() {
    assertThat(new HostReport(COMMANDS, "lo").flaws()).isEmpty();
    assertThat(HostPrograms.run("nft", "list", "tables")).doesNotContain("selftest");
  }

  @Test
  void refusesAHostWithoutTheBridge() {
    HostReport report = new HostReport(COMMANDS, "sgt-nobridge");

    assertThatThrownBy(report::refuseIfUntrue)
        .isInstanceOf(RuntimeRefusedException.class)
        .hasMessageContaining("the bridge sgt-nobridge is not in the network namespace")
        .hasMessageContaining("remedy: ");
  }
}
