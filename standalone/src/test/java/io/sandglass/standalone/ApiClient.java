package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A client of the HTTP API as its users write one: method, path, JSON. */
final class ApiClient {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();

  /** An answer: its body is {@code null} when there is none. */
  record Answer(int status, JsonNode body, java.net.http.HttpHeaders headers) {
    Answer expect(int expected) {
      assertThat(status).as("%s", body).isEqualTo(expected);
      return this;
    }

    String text(String field) {
      assertThat(body.has(field)).as("%s in %s", field, body).isTrue();
      return body.get(field).asText();
    }

    Optional<String> header(String name) {
      return headers.firstValue(name);
    }
  }

  private final URI base;
  private final String key;

  ApiClient(URI base, String key) {
    this.base = base;
    this.key = key;
  }

  /** For requests that this client does not make. */
  String key() {
    return key;
  }

  Answer get(String path) {
    return send("GET", path, null, Map.of());
  }

  Answer delete(String path) {
    return send("DELETE", path, null, Map.of());
  }

  Answer post(String path, String body) {
    return send("POST", path, body, Map.of());
  }

  Answer post(String path, String body, Map<String, String> headers) {
    return send("POST", path, body, headers);
  }

  /** A new organization's id; for the administrator. */
  String organization(String name) {
    return post("/v1/admin/organizations", "{\"name\": \"" + name + "\"}").expect(201).text("id");
  }

  /** With a new key of an organization; for the administrator. */
  ApiClient clientOf(String organization) {
    return new ApiClient(
        base,
        post("/v1/admin/organizations/" + organization + "/keys", "{\"name\": \"test\"}")
            .expect(201)
            .text("key"));
  }

  /** A running sandbox's id. */
  String create(String body) {
    Answer answer = post("/v1/sandboxes", body, Map.of("Prefer", "wait=60")).expect(201);
    assertThat(answer.text("status")).as("%s", answer.body()).isEqualTo("running");
    return answer.text("id");
  }

  Answer execute(String id, String command) {
    return post(
        "/v1/sandboxes/" + id + "/execute",
        JSON.createObjectNode().put("command", command).toString());
  }

  /** However long a busy machine takes to say so. */
  void destroy(String id) {
    Answer answer = delete("/v1/sandboxes/" + id);
    if (answer.status() != 202) {
      answer.expect(204);
      return;
    }
    Awaitility.await(id + " is destroyed")
        .atMost(Duration.ofSeconds(60))
        .until(() -> status(id).equals("destroyed"));
  }

  String status(String id) {
    return get("/v1/sandboxes/" + id).expect(200).text("status");
  }

  JsonNode events(String id) {
    return get("/v1/sandboxes/" + id + "/events?limit=1000").expect(200).body().get("events");
  }

  /** Server-sent events, line by line; closing it cuts the connection. */
  Stream<String> follow(String path, Map<String, String> headers) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path))
            .header("Authorization", "Bearer " + key)
            .header("Accept", "text/event-stream");
    headers.forEach(request::header);
    try {
      HttpResponse<Stream<String>> response =
          HTTP.send(request.build(), HttpResponse.BodyHandlers.ofLines());
      assertThat(response.statusCode()).isEqualTo(200);
      return response.body();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  Answer send(String method, String path, String body, Map<String, String> headers) {
    try {
      return trySend(method, path, body, headers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Like {@link #send}, for a server that may go away meanwhile. */
  Answer trySend(String method, String path, String body, Map<String, String> headers)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path))
            .timeout(Duration.ofSeconds(150))
            .header("Authorization", "Bearer " + key)
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (body != null) {
      request.header("Content-Type", "application/json");
    }
    headers.forEach(request::header);
    try {
      HttpResponse<String> response =
          HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return new Answer(response.statusCode(), parse(response.body()), response.headers());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private static JsonNode parse(String body) throws JsonProcessingException {
    return body.isEmpty() ? null : JSON.readTree(body);
  }
}
