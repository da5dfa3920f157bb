package io.sandglass.api.dataplane;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/** Asks a node for the log of a build. */
public final class BuildLogs {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(PATIENCE)
          .build();
  private final String key;

  /**
   * @param key what nodes know us by
   */
  public BuildLogs(String key) {
    this.key = key;
  }

  /**
   * The log's text as it comes.
   *
   * @param follow until the build ends
   * @return empty when the node does not have it
   * @throws IOException when the node can't be reached
   */
  public Optional<InputStream> open(URI node, String revision, boolean follow) throws IOException {
    String base = node.toString().replaceAll("/+$", "");
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base + "/builds/" + revision + "/log?follow=" + follow))
            .header("Authorization", "Bearer " + key)
            .timeout(PATIENCE)
            .GET()
            .build();
    try {
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      if (response.statusCode() == 200) {
        return Optional.of(response.body());
      }
      response.body().close();
      if (response.statusCode() == 404) {
        return Optional.empty();
      }
      throw new IOException("The node answered with status " + response.statusCode());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted before the node answered", e);
    }
  }
}
