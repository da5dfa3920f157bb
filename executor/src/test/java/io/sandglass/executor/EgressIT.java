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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
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
  private static final String SAFETY = "sgt-safety";
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String HOST = TestInternet.HOST;
  private static final String SERVER = TestInternet.SERVER;
  private static final String OTHER = TestInternet.OTHER;

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
  private static TestInternet internet;
  private static int made;

  /** One that runs. */
  private record Sandbox(Life life, Ipv4 address) {
    Map<String, String> probe(String... probes) {
      return HostPrograms.run(
              Stream.concat(
                      Stream.of("docker", "exec", life.containerName(), "python3", "-c", PROBE),
                      Arrays.stream(probes))
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
    internet = TestInternet.behind("sgt-inet");
  }

  @AfterAll
  static void cleanUp() throws Exception {
    runtime.list().forEach(left -> runtime.remove(left.life()));
    internet.close();
    network.close();
    HostPrograms.run("nft", "delete table inet " + SAFETY);
    runtime.close();
  }

  private static Sandbox sandbox(Reach reach) throws Exception {
    return sandbox(reach, new Life("sbx_egress00000000000000000" + ++made, 1));
  }

  private static Sandbox sandbox(Reach reach, Life life) throws Exception {
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

  /** A message to the resolver of the sandbox, and to the one outside, that carries a word out. */
  private static final String ASK =
      """
      import socket, sys
      word = sys.argv[1].encode()
      question = bytes([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(word)]) + word + b'\\7example\\0\\0\\1\\0\\1'
      for server in sys.argv[2:]:
          s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
          s.settimeout(1)
          try:
              s.sendto(question, (server, 53))
              s.recv(512)
          except OSError:
              pass
      """;

  private static void ask(Sandbox sandbox, String word) {
    String container = sandbox.life().containerName();
    TestDocker.docker("exec", container, "python3", "-c", ASK, word, "127.0.0.11", SERVER);
  }

  @Test
  void namesCarryNothingOutUnderDenyAll() throws Exception {
    ask(sandbox(Reach.NOTHING), "kept-inside");
    ask(sandbox(policy(List.of(OTHER + "/32"), List.of(), List.of())), "kept-inside-too");
    ask(sandbox(Reach.ALL), "let-out");

    Awaitility.await().atMost(SOON).until(() -> internet.heard().contains("let-out"));
    assertThat(internet.heard()).doesNotContain("kept-inside");
    assertNothingGotPast();
  }

  /** What runs from the very first moment on, as no guest does. */
  private static final String LOOP =
      """
      while :; do
        for host in 198.51.100.10 203.0.113.130; do
          if timeout 2 bash -c ": >/dev/tcp/$host/80" 2>/dev/null; then echo "$host open"; else echo "$host closed"; fi
        done
      done
      """;

  @Test
  void aFirstProcessThatConnectsInALoopNeverGetsFurtherThanItsPolicy() {
    Ipv4 address = new Ipv4(network.subnet().first() + 1 + ++made);
    Ipv4 unknown = new Ipv4(network.subnet().first() + 1 + ++made);
    network.firewall().admit(address, policy(List.of(OTHER + "/32"), List.of(), List.of()));
    try {
      for (var one : Map.of("sgt-first", address, "sgt-unknown", unknown).entrySet()) {
        TestDocker.docker(
            "run",
            "-d",
            "--name",
            one.getKey(),
            "--network",
            TestDocker.bridge(NODE),
            "--ip",
            one.getValue().toString(),
            TestDocker.IMAGE,
            "bash",
            "-c",
            LOOP);
      }
      for (int start = 1; start <= 3; start++) {
        int lines = 20 * start;
        for (String name : List.of("sgt-first", "sgt-unknown")) {
          Awaitility.await()
              .atMost(SOON)
              .until(() -> TestDocker.docker("logs", name).lines().count() > lines);
        }
        TestDocker.docker("restart", "-t", "0", "sgt-first", "sgt-unknown");
      }
      assertThat(TestDocker.docker("logs", "sgt-first"))
          .contains(OTHER + " open", SERVER + " closed")
          .doesNotContain(OTHER + " closed", SERVER + " open");
      assertThat(TestDocker.docker("logs", "sgt-unknown")).doesNotContain(" open");
    } finally {
      TestDocker.docker("rm", "-f", "sgt-first", "sgt-unknown");
      network.firewall().revoke(address);
    }
    assertNothingGotPast();
  }

  @Test
  void anAddressKeepsNothingOfItsLastHolder() throws Exception {
    Sandbox first = sandbox(Reach.ALL);
    assertThat(first.probe("tcp," + SERVER + ",80")).containsValue("open");
    String tracked = "conntrack -L -s " + first.address() + " 2>/dev/null";
    assertThat(HostPrograms.run("sh", "-c", tracked)).contains("dport=80");
    runtime.remove(first.life());
    network.firewall().revoke(first.address());

    assertThat(HostPrograms.run("sh", "-c", tracked)).isEmpty();
    Sandbox second = sandbox(Reach.NOTHING, new Life("sbx_egress00000000000000second", 1));
    assertThat(second.address()).isEqualTo(first.address());
    assertThat(second.probe("tcp," + SERVER + ",80", "udp," + SERVER + ",9999"))
        .hasSize(2)
        .allSatisfy((_, outcome) -> assertThat(outcome).isEqualTo("closed"));
    assertNothingGotPast();
  }
}
