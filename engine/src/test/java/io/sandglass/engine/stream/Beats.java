package io.sandglass.engine.stream;

import io.sandglass.schemas.NodeHeartbeat;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** A node's heartbeats. */
final class Beats {
  static final String IMAGE = "sandglass/python:0.1.0";
  static final long GIB = 1L << 30;

  private final String node;
  private String boot = "boot-1";
  private long memory = 8 * GIB;
  private int places = 1_000_000;
  private List<String> images = List.of(IMAGE);

  Beats(String node) {
    this.node = node;
  }

  Beats boot(String id) {
    boot = id;
    return this;
  }

  Beats memory(long bytes) {
    memory = bytes;
    return this;
  }

  Beats places(int count) {
    places = count;
    return this;
  }

  Beats images(String... references) {
    images = List.of(references);
    return this;
  }

  NodeHeartbeat beat(Instant at) {
    return new NodeHeartbeat(
        node,
        boot,
        "http://" + node + ":9000",
        8000,
        memory,
        places,
        0,
        0L,
        0,
        images,
        Map.of(),
        at,
        Map.of());
  }
}
