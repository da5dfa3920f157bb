package io.sandglass.standalone;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports on the loopback interface for those who listen a little later. They are not among those
 * that Linux gives to outgoing connections (from 32768 on, {@code net.ipv4.ip_local_port_range}):
 * such a connection could take it meanwhile, even the one that asks whether anybody listens there
 * yet, which then meets itself.
 */
final class FreePort {
  private static final int FIRST = 20_000;
  private static final int END = 32_768;
  private static final int ATTEMPTS = 100;

  private FreePort() {}

  /** One that is free at the moment. */
  static int next() throws IOException {
    BindException last = null;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, END);
      try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return port;
      } catch (BindException e) {
        last = e;
      }
    }
    throw new IOException("No port of " + FIRST + " to " + (END - 1) + " is free", last);
  }
}
