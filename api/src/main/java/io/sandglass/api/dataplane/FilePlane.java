package io.sandglass.api.dataplane;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.dataplane.FileAnswer.Cause;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;

/** Calls a node to move files into and out of one of its sandboxes, or to list a directory. */
public final class FilePlane {
  private static final Duration CONNECT = Duration.ofSeconds(3);
  private static final Duration GRACE = Duration.ofSeconds(60);
  private static final int LARGEST_PROBLEM = 64 * 1024;
  private static final int LARGEST_LISTING = 4 * 1024 * 1024;

  private final HttpClient client;
  private final String key;
  private final ObjectMapper json = new ObjectMapper();

  /**
   * @param key what nodes know us by
   */
  public FilePlane(String key) {
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    this.key = key;
  }

  /**
   * A file to be moved.
   *
   * @param incarnation which life of the container is meant
   * @param most bytes
   */
  public record Transfer(
      String executionId,
      String sandboxId,
      int incarnation,
      String path,
      long most,
      Duration timeout) {}

  /** Writes a file; when this is done, all of it is there: so many bytes. */
  public FileAnswer<Long> upload(
      URI node, Transfer transfer, InputStream content, String requestId) {
    UploadPipe pipe = new UploadPipe();
    HttpRequest request =
        request(node, "/content", transfer, requestId).expectContinue(true).PUT(pipe).build();
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(request, BodyHandlers.ofInputStream());
    var _ = answer.whenComplete((_, _) -> pipe.cancel());
    long sent;
    try {
      sent = pipe.pump(content, transfer.most() + 1);
    } catch (IOException e) {
      answer.cancel(true);
      return new FileAnswer.Refused<>(Cause.BODY_BROKEN, "The body ended before its end.");
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      return new FileAnswer.Unknown<>("Interrupted while the file was sent.");
    }
    try {
      HttpResponse<InputStream> response = answer.get();
      try (InputStream body = response.body()) {
        if (response.statusCode() == 204) {
          return new FileAnswer.Done<>(sent);
        }
        FileAnswer<Long> refused = refused(response.statusCode(), body);
        return refused instanceof FileAnswer.NotAwake<Long>(String detail) && sent > 0
            ? new FileAnswer.Refused<>(Cause.NODE_UNAVAILABLE, detail) // it can't be sent again
            : refused;
      }
    } catch (ExecutionException e) {
      return lost(e.getCause());
    } catch (IOException e) {
      return lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new FileAnswer.Unknown<>("Interrupted before the sandbox's node answered.");
    }
  }

  /** Opens a file. */
  public FileAnswer<FileDownload> download(URI node, Transfer transfer, String requestId) {
    try {
      HttpResponse<InputStream> response =
          client.send(
              request(node, "/content", transfer, requestId).GET().build(),
              BodyHandlers.ofInputStream());
      long size = response.headers().firstValueAsLong("Content-Length").orElse(-1);
      if (response.statusCode() == 200 && size >= 0) {
        return new FileAnswer.Done<>(new FileDownload(size, response.body()));
      }
      try (InputStream body = response.body()) {
        return refused(response.statusCode(), body);
      }
    } catch (IOException e) {
      return lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new FileAnswer.Unknown<>("Interrupted before the sandbox's node answered.");
    }
  }

  /**
   * A page of a directory.
   *
   * @param after where the page before ended; null for the first
   */
  public FileAnswer<FileListing> list(URI node, Transfer listing, String after, String requestId) {
    String page = after == null ? "" : "&after=" + encode(after);
    try {
      HttpResponse<InputStream> response =
          client.send(
              request(node, "", listing, requestId, page).GET().build(),
              BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        return response.statusCode() == 200
            ? new FileAnswer.Done<>(listing(json.readTree(body.readNBytes(LARGEST_LISTING))))
            : refused(response.statusCode(), body);
      }
    } catch (IOException e) {
      return lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new FileAnswer.Unknown<>("Interrupted before the sandbox's node answered.");
    }
  }

  private static FileListing listing(JsonNode page) {
    List<FileListing.Entry> entries = new ArrayList<>();
    String last = null;
    for (JsonNode entry : page.path("entries")) {
      entries.add(
          new FileListing.Entry(
              entry.path("name").asText(),
              entry.path("type").asText(),
              entry.path("size").longValue(),
              entry.path("mode").intValue(),
              Instant.ofEpochMilli(entry.path("modified_ms").longValue())));
      last = entry.path("name_base64").asText();
    }
    return new FileListing(entries, page.path("more").booleanValue() ? last : null);
  }

  private HttpRequest.Builder request(
      URI node, String what, Transfer transfer, String requestId, String... more) {
    String url = node.toString();
    return HttpRequest.newBuilder(
            URI.create(
                (url.endsWith("/") ? url.substring(0, url.length() - 1) : url)
                    + "/sandboxes/"
                    + transfer.sandboxId()
                    + "/files"
                    + what
                    + "?incarnation="
                    + transfer.incarnation()
                    + "&execution_id="
                    + transfer.executionId()
                    + "&limit="
                    + transfer.most()
                    + "&path="
                    + encode(transfer.path())
                    + String.join("", more)))
        .header("Authorization", "Bearer " + key)
        .header("X-Request-Id", requestId)
        .timeout(transfer.timeout().plus(GRACE));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static <T> FileAnswer<T> lost(Throwable e) {
    return e instanceof ConnectException || e instanceof HttpConnectTimeoutException
        ? new FileAnswer.Refused<>(Cause.NODE_UNAVAILABLE, "The sandbox's node cannot be reached.")
        : new FileAnswer.Unknown<>("The connection to the sandbox's node broke off.");
  }

  private <T> FileAnswer<T> refused(int status, InputStream body) throws IOException {
    String code;
    String detail;
    try {
      JsonNode problem = json.readTree(body.readNBytes(LARGEST_PROBLEM));
      code = problem.path("code").asText("");
      detail = problem.path("detail").asText("");
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      code = "";
      detail = "";
    }
    return switch (code) {
      case "unknown_sandbox" -> new FileAnswer.NotAwake<>("The sandbox's node does not hold it.");
      case "not_running" -> new FileAnswer.NotAwake<>(detail);
      case "too_many_executions" -> new FileAnswer.Refused<>(Cause.TOO_MANY, detail);
      case "not_found" -> new FileAnswer.Refused<>(Cause.NOT_FOUND, detail);
      case "invalid_path" -> new FileAnswer.Refused<>(Cause.INVALID_PATH, detail);
      case "is_directory", "not_a_file" -> new FileAnswer.Refused<>(Cause.NOT_A_FILE, detail);
      case "not_a_directory" -> new FileAnswer.Refused<>(Cause.NOT_A_DIRECTORY, detail);
      case "not_permitted" -> new FileAnswer.Refused<>(Cause.NOT_PERMITTED, detail);
      case "too_large" -> new FileAnswer.Refused<>(Cause.TOO_LARGE, detail);
      case "no_space" -> new FileAnswer.Refused<>(Cause.NO_SPACE, detail);
      case "io_error" -> new FileAnswer.Refused<>(Cause.FILE_SYSTEM, detail);
      case "body_broken_off" -> new FileAnswer.Refused<>(Cause.BODY_BROKEN, detail);
      case "guest_unreachable", "no_resources", "not_ready", "unauthorized" ->
          new FileAnswer.Refused<>(
              Cause.NODE_UNAVAILABLE, "The sandbox's node refused (" + status + "): " + detail);
      default ->
          new FileAnswer.Unknown<>(
              "The sandbox's node answered with status "
                  + status
                  + (detail.isEmpty() ? "." : ": " + detail));
    };
  }
}
