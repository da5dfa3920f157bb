package io.sandglass.api.dataplane;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.util.Timeout;

/**
 * Asks a node to do what somebody waits for before the log knows of it. The node gets to know by
 * the log what becomes of it, so whoever is told no by mistake loses nothing.
 */
public final class AheadPlane {
  /** A node says no by itself before. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final CloseableHttpClient client;
  private final String key;
  private final ObjectMapper json =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  /**
   * @param key what nodes know us by
   */
  public AheadPlane(String key) {
    this.client =
        NodeClients.client(
                NodeClients.connections(PATIENCE),
                NodeClients.requests().setResponseTimeout(Timeout.of(PATIENCE)))
            .build();
    this.key = key;
  }

  /**
   * What a container is wanted for.
   *
   * @param cpuMillis thousandths of a CPU
   */
  public record Wanted(
      String orgId, String image, int cpuMillis, long memoryBytes, Egress egress) {}

  /**
   * The network policy from the first process on.
   *
   * @param mode {@code allow_all} or {@code deny_all}
   */
  public record Egress(
      String mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {}

  /** Whether the node has set one aside for the sandbox, of those that it has started ahead. */
  public boolean claim(URI node, String sandboxId, Wanted wanted, String requestId) {
    HttpPost request = new HttpPost(uri(node, sandboxId, "/claim"));
    try {
      request.setEntity(
          new ByteArrayEntity(json.writeValueAsBytes(wanted), ContentType.APPLICATION_JSON));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Not writable as JSON: " + wanted, e);
    }
    return isDone(request, requestId);
  }

  /** Whether the node has the sandbox awake, which may just have been frozen. */
  public boolean thaw(URI node, String sandboxId, int incarnation, String requestId) {
    String thaw = "/thaw?incarnation=" + incarnation;
    return isDone(new HttpPost(uri(node, sandboxId, thaw)), requestId);
  }

  private static URI uri(URI node, String sandboxId, String what) {
    return URI.create(NodeClients.base(node) + "/sandboxes/" + sandboxId + what);
  }

  private boolean isDone(HttpPost request, String requestId) {
    request.setHeader("Authorization", "Bearer " + key);
    request.setHeader("X-Request-Id", requestId);
    try {
      return client.execute(request, response -> response.getCode() == 204);
    } catch (IOException e) {
      return false;
    }
  }
}
