package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Reach;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.TestDocker;
import io.sandglass.executor.sandbox.EgressPolicy;
import io.sandglass.executor.sandbox.EgressPolicy.Mode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Packets of real sandboxes against a pretended internet, which is a network namespace. A rule
 * behind the firewall drops whatever would leave this machine, and counts it: nothing may get
 * there.
 */
final class EgressIT {
  private static final String NODE = "it-egress";
  private static final String INTERNET = "sgt-internet";
  private static final String LINK = "sgt-inet0";
  private static final String SAFETY = "sgt-safety";
  private static final String HOST = "198.51.100.1";
  private static final String SERVER = "198.51.100.10";
  private static final String OTHER = "203.0.113.130";

  private static final String SERVE =
      """
      import socketserver, threading
      class Tcp(socketserver.BaseRequestHandler):
          def handle(self):
              while data := self.request.recv(99):
                  self.request.sendall(data)
      class Udp(socketserver.BaseRequestHandler):
          def handle(self):
              self.request[1].sendto(self.request[0], self.client_address)
      class Threads(socketserver.ThreadingTCPServer):
          allow_reuse_address = True
          daemon_threads = True
      for port in (80, 443):
          threading.Thread(target=Threads(('0.0.0.0', port), Tcp).serve_forever).start()
      for port in (53, 9999):
          threading.Thread(target=socketserver.UDPServer(('0.0.0.0', port), Udp).serve_forever).start()
      """;

  private static final String PROBE =
      """
      import socket, sys, threading
      def probe(kind, host, port):
          v6 = ':' in host
          icmp = kind == 'icmp'
          try:
              s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                  socket.SOCK_RAW if kind == 'raw' else
                  socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM,
                  1 if icmp or kind == 'raw' else 0)
              s.settimeout(2)
              s.connect((host, port))
              if kind == 'icmp': s.send(b'\\x08\\0\\0\\0\\0\\0\\0\\1')
              else: s.send(b'x')
              s.recv(99)
              return 'open'
          except OSError:
              return 'closed'
      def work(one):
          print(one, probe(*one.split(',')[:2], int(one.split(',')[2])), flush=True)
      threads = [threading.Thread(target=work, args=(one,)) for one in sys.argv[1:]]
      [t.start() for t in threads]
      [t.join() for t in threads]
      """;

  private static final String TALK =
      """
      import socket, sys
      def alive(s):
          try:
              s.send(b'x')
              return s.recv(9) == b'x'
          except OSError:
              return False
      ends = [socket.create_connection((host, 80), 2) for host in sys.argv[1:]]
      print(*map(alive, ends), flush=True)
      input()
      print(*map(alive, ends), flush=True)
      """;

  @TempDir static Path data;
  private static DockerRuntime runtime;
  private static TestNetwork network;
  private static int made;

  /** One that runs. */
  private record Sandbox(Life life, Ipv4 address) {
    Map<String, String> probe(String... probes) {
      return HostPrograms.run(
              java.util.stream.Stream.concat(
                      java.util.stream.Stream.of(
                          "docker", "exec", life.containerName(), "python3", "-c", PROBE),
                      java.util.Arrays.stream(probes))
                  .toArray(String[]::new))
          .lines()
          .map(line -> line.split(" ", -1))
          .collect(
              Collectors.toMap(parts -> parts[0], parts -> parts[1], (a, b) -> b, TreeMap::new));
    }
  }

  @BeforeAll
  static void pretendAnInternet() {
    runtime = TestDocker.runtime(NODE, SERVER);
    runtime.list().forEach(left -> runtime.remove(left.life()));
    network = TestNetwork.of(NODE, runtime, SERVER);
    network.firewall().establish(Map.of());
    HostPrograms.run(
        "nft",
        ("add table inet %1$s; delete table inet %1$s; add table inet %1$s;"
                + " add chain inet %1$s forward { type filter hook forward priority -5; };"
                + " add rule inet %1$s forward iifname %2$s ip daddr"
                + " { 198.51.100.0/24, 203.0.113.128/25 } return;"
                + " add rule inet %1$s forward iifname %2$s counter drop")
            .formatted(SAFETY, TestDocker.bridge(NODE)));
    TestDocker.docker(
        "run",
        "-d",
        "--name",
        INTERNET,
        "--network",
        "none",
        "--cap-add",
        "NET_ADMIN",
        TestDocker.IMAGE,
        "python3",
        "-c",
        SERVE);
    String pid = TestDocker.docker("inspect", "-f", "{{.State.Pid}}", INTERNET);
    HostPrograms.run(
        "ip", "link", "add", LINK, "type", "veth", "peer", "name", "inet0", "netns", pid);
    HostPrograms.run("ip", "address", "add", HOST + "/24", "dev", LINK);
    HostPrograms.run("ip", "link", "set", LINK, "up");
    TestDocker.docker(
        "exec",
        INTERNET,
        "sh",
        "-c",
        "ip address add "
            + SERVER
            + "/24 dev inet0 && ip address add "
            + OTHER
            + "/32 dev inet0 && ip link set inet0 up && ip route add default via "
            + HOST);
    HostPrograms.run("ip", "route", "add", "203.0.113.128/25", "via", SERVER);
  }

  @AfterAll
  static void cleanUp() throws Exception {
    runtime.list().forEach(left -> runtime.remove(left.life()));
    TestDocker.docker("rm", "-f", INTERNET);
    network.close();
    HostPrograms.run("nft", "delete table inet " + SAFETY);
    runtime.close();
  }

  private static Sandbox sandbox(Reach reach) throws Exception {
    Life life = new Life("sbx_egress00000000000000000" + ++made, 1);
    Ipv4 address = new Ipv4(network.subnet().first() + 1 + made);
    Path guest = Files.createDirectories(data.resolve(life.containerName()));
    EndpointChannels.in(data, Duration.ofSeconds(1)).install(guest);
    runtime.create(
        new ContainerSpec(
            life,
            "org_it",
            TestDocker.IMAGE,
            new ContainerSpec.Limits(1000, 128L << 20),
            address.toString(),
            guest,
            "token"));
    network.firewall().admit(address, reach);
    runtime.start(life);
    return new Sandbox(life, address);
  }

  private static Reach policy(List<String> allow, List<String> deny, List<Integer> ports) {
    return new EgressPolicy(Mode.DENY_ALL, allow, deny, ports).reach();
  }

  private static void assertNothingGotPast() {
    assertThat(HostPrograms.run("nft", "list", "table", "inet", SAFETY))
        .contains("counter packets 0 ");
  }

  @Test
  void allowAllReachesTheInternetAndNothingOfThePlatform() throws Exception {
    Sandbox neighbour = sandbox(Reach.ALL);
    Sandbox sandbox = sandbox(Reach.ALL);
    Ipv4 gateway = new Ipv4(network.subnet().first() + 1);

    assertThat(
            sandbox.probe(
                "tcp," + SERVER + ",80",
                "tcp," + OTHER + ",443",
                "udp," + SERVER + ",9999",
                "icmp," + SERVER + ",0",
                "udp," + SERVER + ",53"))
        .hasSize(5)
        .allSatisfy((_, outcome) -> assertThat(outcome).isEqualTo("open"));
    assertThat(
            sandbox.probe(
                "tcp," + gateway + ",22",
                "icmp," + gateway + ",0",
                "icmp," + HOST + ",0",
                "udp," + HOST + ",53",
                "tcp," + neighbour.address() + ",22",
                "icmp," + neighbour.address() + ",0",
                "tcp,169.254.169.254,80",
                "tcp,10.1.2.3,80",
                "udp,172.16.0.1,53",
                "icmp,192.168.1.1,0",
                "tcp,100.64.0.1,80",
                "udp,224.0.0.251,5353",
                "raw," + SERVER + ",0",
                "tcp,2001:db8::1,80",
                "tcp,::1,80"))
        .hasSize(15)
        .allSatisfy((_, outcome) -> assertThat(outcome).isEqualTo("closed"));
    assertNothingGotPast();
  }

  @Test
  void denyAllReachesNothingNotEvenAResolver() throws Exception {
    Sandbox sandbox = sandbox(Reach.NOTHING);

    assertThat(
            sandbox.probe(
                "tcp," + SERVER + ",80",
                "udp," + SERVER + ",53",
                "icmp," + SERVER + ",0",
                "udp,127.0.0.11,53",
                "tcp," + OTHER + ",443"))
        .hasSize(5)
        .allSatisfy((_, outcome) -> assertThat(outcome).isEqualTo("closed"));
    assertNothingGotPast();
  }

  @Test
  void listsOpenWhatTheySayAndAChangeHoldsAtOnce() throws Exception {
    Sandbox sandbox = sandbox(policy(List.of("203.0.113.128/25"), List.of(), List.of(443)));
    String[] probes = {
      "tcp," + OTHER + ",443",
      "tcp," + OTHER + ",80",
      "udp," + OTHER + ",9999",
      "icmp," + OTHER + ",0",
      "tcp," + SERVER + ",443"
    };
    assertThat(open(sandbox.probe(probes))).containsExactly(probes[0]);

    network
        .firewall()
        .admit(
            sandbox.address(),
            policy(List.of("198.51.100.0/24", OTHER + "/32"), List.of(OTHER + "/32"), List.of()));
    assertThat(open(sandbox.probe(probes))).containsExactly(probes[4]);

    runtime.freeze(sandbox.life());
    runtime.thaw(sandbox.life());
    assertThat(open(sandbox.probe(probes))).containsExactly(probes[4]);
    runtime.stop(sandbox.life(), Duration.ZERO);
    runtime.start(sandbox.life());
    assertThat(open(sandbox.probe(probes))).containsExactly(probes[4]);
    assertNothingGotPast();
  }

  private static List<String> open(Map<String, String> outcomes) {
    return outcomes.keySet().stream().filter(one -> outcomes.get(one).equals("open")).toList();
  }

  @Test
  void cutsAnEstablishedConnectionThatANewPolicyForbids() throws Exception {
    Sandbox sandbox = sandbox(Reach.ALL);
    Process process =
        new ProcessBuilder(
                "docker",
                "exec",
                "-i",
                sandbox.life().containerName(),
                "python3",
                "-c",
                TALK,
                SERVER,
                OTHER)
            .redirectErrorStream(true)
            .start();
    try (var lines = process.inputReader()) {
      assertThat(lines.readLine()).isEqualTo("True True");
      network
          .firewall()
          .admit(sandbox.address(), policy(List.of(OTHER + "/32"), List.of(), List.of()));
      process.outputWriter().append('\n').flush();
      assertThat(lines.readLine()).isEqualTo("False True");
    }
  }
}
