package io.sandglass.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A node's data plane whose every answer a test writes itself. */
final class NodeStandIn {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the node answers. */
  interface Script {
    void answer(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final List<JsonNode> asked = new CopyOnWriteArrayList<>();
  private final List<Map<String, List<String>>> headers = new CopyOnWriteArrayList<>();
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final AtomicInteger cut = new AtomicInteger();

  private NodeStandIn(HttpServer server) {
    this.server = server;
  }

  static NodeStandIn start(Script script) throws IOException {
    NodeStandIn node =
        new NodeStandIn(
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
    node.server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    node.server.createContext(
        "/",
        exchange -> {
          byte[] body;
          JsonNode json;
          try {
            body = exchange.getRequestBody().readAllBytes();
            json = body.length == 0 ? JSON.nullNode() : JSON.readTree(body);
          } catch (IOException e) {
            node.cut.incrementAndGet();
            throw e;
          }
          node.asked.add(json);
          node.headers.add(Map.copyOf(exchange.getRequestHeaders()));
          node.lines.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          try (exchange) {
            script.answer(exchange);
          }
        });
    node.server.start();
    return node;
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The bodies of all requests, as long as nobody clears them. */
  List<JsonNode> asked() {
    return asked;
  }

  List<Map<String, List<String>>> headers() {
    return headers;
  }

  /** How many requests broke off before their end. */
  int cut() {
    return cut.get();
  }

  /** Methods and paths. */
  List<String> lines() {
    return lines;
  }

  void stop() {
    server.stop(0);
  }

  static Script problem(int status, String code) {
    return exchange -> {
      byte[] body =
          ("{\"code\":\"" + code + "\",\"detail\":\"so\"}").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    };
  }

  static Script empty(int status) {
    return exchange -> exchange.sendResponseHeaders(status, -1);
  }

  static Script frames(byte[]... frames) {
    return exchange -> {
      exchange.getResponseHeaders().set("Content-Type", "application/vnd.sandglass.frames");
      exchange.sendResponseHeaders(200, 0);
      for (byte[] frame : frames) {
        exchange.getResponseBody().write(frame);
      }
    };
  }

  static byte[] frame(char type, byte[] payload) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(type);
      out.writeInt(payload.length);
      out.write(payload);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  static byte[] frame(char type, String payload) {
    return frame(type, payload.getBytes(StandardCharsets.UTF_8));
  }

  static String exit(int code) {
    return "{\"exit_code\":"
        + code
        + ",\"duration_ms\":12,\"timed_out\":false,\"truncated\":false,"
        + "\"stdout_bytes\":0,\"stderr_bytes\":0}";
  }
}
