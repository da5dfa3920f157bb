package io.sandglass.api.dataplane;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.dataplane.FileAnswer.Cause;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor;
import org.apache.hc.core5.http.io.entity.EntityTemplate;
import org.apache.hc.core5.util.Timeout;

/**
 * Calls a node to move files into and out of one of its sandboxes, or to list a directory. Each
 * call has a connection of its own, which the calling thread reads and writes itself: nothing is
 * handed from thread to thread on the way, and none can turn out to be stale under a body that
 * can't be sent twice.
 */
public final class FilePlane {
  private static final Duration GRACE = Duration.ofSeconds(60);

  /** Files are passed on in pieces of this size. */
  static final int CHUNK = 64 * 1024;

  private static final int LARGEST_LISTING = 4 * 1024 * 1024;

  private final CloseableHttpClient client;
  private final ScheduledExecutorService timer;
  private final String key;
  private final ObjectMapper json = new ObjectMapper();

  /**
   * @param timer cuts off what takes too long
   * @param key what nodes know us by
   */
  public FilePlane(ScheduledExecutorService timer, String key) {
    Http1Config framing =
        Http1Config.custom().setBufferSize(2 * CHUNK).setChunkSizeHint(CHUNK).build();
    this.client =
        NodeClients.client(
                NodeClients.connections()
                    .setConnectionFactory(
                        ManagedHttpClientConnectionFactory.builder().http1Config(framing).build()),
                NodeClients.requests().setExpectContinueEnabled(true))
            .setRequestExecutor(
                HttpRequestExecutor.builder().withWaitForContinue(Timeout.of(GRACE)).build())
            .setConnectionReuseStrategy((_, _, _) -> false)
            .build();
    this.timer = timer;
    this.key = key;
  }

  /**
   * A file to be moved.
   *
   * @param most bytes
   */
  public record Transfer(String executionId, Life life, String path, long most, Duration timeout) {}

  /** Writes a file; when this is done, all of it is there: so many bytes. */
  public FileAnswer<Long> upload(
      URI node, Transfer transfer, InputStream content, String requestId) {
    HttpPut request = new HttpPut(uri(node, "/content", transfer));
    Body body = new Body(content, transfer.most() + 1, request::cancel);
    request.setEntity(
        new EntityTemplate(-1, ContentType.APPLICATION_OCTET_STREAM, null, body::writeTo));
    try (Call call = new Call(request, transfer, requestId)) {
      ClassicHttpResponse response = call.open();
      if (response.getCode() == 204) {
        return new FileAnswer.Done<>(body.sent);
      }
      FileAnswer<Long> refused = refused(response);
      return body.sent == 0 ? refused : onlyOnce(refused);
    } catch (IOException e) {
      return body.broken
          ? new FileAnswer.Refused<>(Cause.BODY_BROKEN, "The body ended before its end.")
          : lost(e);
    }
  }

  /** What it is when the body is gone. */
  private static <T> FileAnswer<T> onlyOnce(FileAnswer<T> refused) {
    return switch (refused) {
      case FileAnswer.NotAwake<T>(String detail) ->
          new FileAnswer.Refused<>(Cause.NODE_UNAVAILABLE, detail);
      case FileAnswer.Away<T>(String detail) ->
          new FileAnswer.Refused<>(Cause.NODE_UNAVAILABLE, detail);
      default -> refused;
    };
  }

  /** The content of an upload, read no faster than it is sent. */
  private static final class Body {
    private final InputStream content;
    private final long most;
    private final Runnable cut;
    private long sent;
    private boolean broken;

    /**
     * @param most bytes that are read: one more than are allowed tells the node that there are too
     *     many
     * @param cut ends the connection
     */
    Body(InputStream content, long most, Runnable cut) {
      this.content = content;
      this.most = most;
      this.cut = cut;
    }

    void writeTo(OutputStream node) throws IOException {
      byte[] chunk = new byte[CHUNK];
      for (int read = read(chunk); read > 0; read = read(chunk)) {
        node.write(chunk, 0, read);
        sent += read;
      }
    }

    private int read(byte[] chunk) throws IOException {
      broken = true;
      try {
        int read = content.read(chunk, 0, (int) Math.min(chunk.length, most - sent));
        broken = false;
        return read;
      } finally {
        if (broken) {
          // Whatever closes the request now must not end it as if it were complete.
          cut.run();
        }
      }
    }
  }

  /** Opens a file. */
  public FileAnswer<FileDownload> download(URI node, Transfer transfer, String requestId) {
    Call call = new Call(new HttpGet(uri(node, "/content", transfer)), transfer, requestId);
    boolean opened = false;
    try {
      ClassicHttpResponse response = call.open();
      long size = response.getEntity() == null ? -1 : response.getEntity().getContentLength();
      if (response.getCode() != 200 || size < 0) {
        return refused(response);
      }
      InputStream content = response.getEntity().getContent();
      opened = true;
      return new FileAnswer.Done<>(new FileDownload(size, content, call::close));
    } catch (IOException e) {
      return lost(e);
    } finally {
      if (!opened) {
        call.close();
      }
    }
  }

  /**
   * A page of a directory.
   *
   * @param after where the page before ended; null for the first
   */
  public FileAnswer<FileListing> list(URI node, Transfer listing, String after, String requestId) {
    String page = after == null ? "" : "&after=" + encode(after);
    try (Call call = new Call(new HttpGet(uri(node, "", listing, page)), listing, requestId)) {
      ClassicHttpResponse response = call.open();
      return response.getCode() == 200
          ? new FileAnswer.Done<>(
              listing(json.readTree(NodeClients.body(response, LARGEST_LISTING))))
          : refused(response);
    } catch (IOException e) {
      return lost(e);
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

  /** A request and its connection, which is cut when this is closed, or has taken too long. */
  private final class Call implements AutoCloseable {
    private final HttpUriRequestBase request;
    private final ScheduledFuture<?> late;

    Call(HttpUriRequestBase request, Transfer transfer, String requestId) {
      request.setHeader("Authorization", "Bearer " + key);
      request.setHeader("X-Request-Id", requestId);
      this.request = request;
      this.late =
          timer.schedule(
              request::cancel, transfer.timeout().plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
    }

    ClassicHttpResponse open() throws IOException {
      return client.executeOpen(null, request, null);
    }

    @Override
    public void close() {
      late.cancel(false);
      request.cancel();
    }
  }

  private static URI uri(URI node, String what, Transfer transfer, String... more) {
    return URI.create(
        NodeClients.base(node)
            + "/sandboxes/"
            + transfer.life().sandboxId()
            + "/files"
            + what
            + "?incarnation="
            + transfer.life().incarnation()
            + "&wake="
            + transfer.life().wake()
            + "&execution_id="
            + transfer.executionId()
            + "&limit="
            + transfer.most()
            + "&path="
            + encode(transfer.path())
            + String.join("", more));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static <T> FileAnswer<T> lost(IOException e) {
    return NodeClients.isUnreachable(e)
        ? new FileAnswer.Away<>("The sandbox's node cannot be reached.")
        : new FileAnswer.Unknown<>("The connection to the sandbox's node broke off.");
  }

  private static String unavailable(int status, String detail) {
    return "The sandbox's node refused (" + status + "): " + detail;
  }

  private static <T> FileAnswer<T> refused(ClassicHttpResponse response) throws IOException {
    NodeProblem problem = NodeProblem.read(response);
    int status = problem.status();
    String detail = problem.detail();
    return switch (problem.code()) {
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
      case "not_ready", "unauthorized" -> new FileAnswer.Away<>(unavailable(status, detail));
      case "guest_unreachable", "no_resources" ->
          new FileAnswer.Refused<>(Cause.NODE_UNAVAILABLE, unavailable(status, detail));
      default ->
          new FileAnswer.Unknown<>(
              "The sandbox's node answered with status "
                  + status
                  + (detail.isEmpty() ? "." : ": " + detail));
    };
  }
}
