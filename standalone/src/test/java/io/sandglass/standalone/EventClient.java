package io.sandglass.standalone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client of server-sent events that can hang up whenever it likes. */
final class EventClient implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** An event, and when it came. */
  record Event(String name, JsonNode data, long at) {
    String text() {
      return data.path("text").asText();
    }
  }

  private final Socket socket;
  private final BufferedReader in;
  private int status;

  private EventClient(Socket socket) throws IOException {
    this.socket = socket;
    this.in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Sends the request; the answer is read as it comes. */
  static EventClient send(
      SandglassProcess sandglass,
      String key,
      String method,
      String path,
      String accept,
      String body) {
    URI base = URI.create(sandglass.url());
    try {
      EventClient client = new EventClient(new Socket(base.getHost(), base.getPort()));
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      String head =
          String.join(
              "\r\n",
              method + " " + path + " HTTP/1.1",
              "Host: " + base.getAuthority(),
              "Authorization: Bearer " + key,
              "Accept: " + accept,
              "Content-Type: application/json",
              "Content-Length: " + bytes.length,
              "Connection: close",
              "",
              "");
      client.socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      client.socket.getOutputStream().write(bytes);
      return client;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The next event; null at the end of the stream. */
  Event next() throws IOException {
    String name = null;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (status == 0) {
        status = Integer.parseInt(line.substring(9, 12));
      } else if (line.startsWith("event: ")) {
        name = line.substring(7);
      } else if (line.startsWith("data: ")) {
        return new Event(name, parse(line.substring(6)), System.nanoTime());
      }
    }
    return null;
  }

  /** All events up to the end. */
  List<Event> rest() throws IOException {
    List<Event> events = new ArrayList<>();
    for (Event event = next(); event != null; event = next()) {
      events.add(event);
    }
    return events;
  }

  private static JsonNode parse(String data) throws JsonProcessingException {
    return JSON.readTree(data);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
