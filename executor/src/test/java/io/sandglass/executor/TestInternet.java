package io.sandglass.executor;

import io.sandglass.executor.runtime.docker.TestDocker;
import java.util.List;
import java.util.stream.Stream;

/**
 * Servers that sandboxes reach as if they were on the internet: they are in a network namespace of
 * their own, which is a container's.
 *
 * @param container whose namespace it is
 * @param enter what a command is preceded by to run in the namespace of the sandboxes' bridge
 */
record TestInternet(String container, List<String> enter) implements AutoCloseable {
  /** The bridge's side of the link. */
  static final String HOST = "198.51.100.1";

  static final String SERVER = "198.51.100.10";
  static final String OTHER = "203.0.113.130";

  /** TCP on 80 and 443, UDP on 53 and 9999 say what they hear; what 53 hears is also printed. */
  private static final String SERVE =
      """
      import socketserver, threading
      class Tcp(socketserver.BaseRequestHandler):
          def handle(self):
              while data := self.request.recv(99):
                  self.request.sendall(data)
      class Udp(socketserver.BaseRequestHandler):
          def handle(self):
              if self.server.server_address[1] == 53:
                  print(self.request[0])
              self.request[1].sendto(self.request[0], self.client_address)
      class Threads(socketserver.ThreadingTCPServer):
          allow_reuse_address = True
          daemon_threads = True
      for port in (80, 443):
          threading.Thread(target=Threads(('0.0.0.0', port), Tcp).serve_forever).start()
      for port in (53, 9999):
          threading.Thread(target=socketserver.UDPServer(('0.0.0.0', port), Udp).serve_forever).start()
      """;

  static TestInternet behind(String container, String... enter) {
    TestInternet internet = new TestInternet(container, List.of(enter));
    internet.open();
    return internet;
  }

  private void open() {
    TestDocker.docker(
        "run",
        "-d",
        "--name",
        container,
        "--network",
        "none",
        "--cap-add",
        "NET_ADMIN",
        TestDocker.IMAGE,
        "python3",
        "-u",
        "-c",
        SERVE);
    String pid = TestDocker.docker("inspect", "-f", "{{.State.Pid}}", container);
    String link = container + "0";
    here("ip", "link", "add", link, "type", "veth", "peer", "name", "inet0", "netns", pid);
    here("ip", "address", "add", HOST + "/24", "dev", link);
    here("ip", "link", "set", link, "up");
    TestDocker.docker(
        "exec",
        container,
        "sh",
        "-c",
        "ip address add "
            + SERVER
            + "/24 dev inet0 && ip address add "
            + OTHER
            + "/32 dev inet0 && ip link set inet0 up && ip route add default via "
            + HOST);
    here("ip", "route", "add", "203.0.113.128/25", "via", SERVER);
  }

  private void here(String... command) {
    HostPrograms.run(Stream.concat(enter.stream(), Stream.of(command)).toArray(String[]::new));
  }

  /** What the name server has heard. */
  String heard() {
    return TestDocker.docker("logs", container);
  }

  @Override
  public void close() {
    TestDocker.docker("rm", "-f", container);
  }
}
