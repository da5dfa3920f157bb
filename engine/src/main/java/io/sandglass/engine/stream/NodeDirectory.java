package io.sandglass.engine.stream;

import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.wire.NodeRecords;
import io.sandglass.engine.wire.UnreadableException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The nodes, as {@code sandbox.nodes} tells of them: a moment behind the truth. */
final class NodeDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(NodeDirectory.class);

  private record Read(Bytes bytes, Optional<Node> node) {}

  private final ReadOnlyKeyValueStore<String, byte[]> store;
  private final Map<String, Read> read = new HashMap<>();

  NodeDirectory(ReadOnlyKeyValueStore<String, byte[]> store) {
    this.store = store;
  }

  Collection<Node> all() {
    List<Node> nodes = new ArrayList<>();
    try (KeyValueIterator<String, byte[]> statuses = store.all()) {
      statuses.forEachRemaining(status -> read(status.key, status.value).ifPresent(nodes::add));
    }
    return nodes;
  }

  Optional<Node> find(String nodeId) {
    byte[] bytes = store.get(nodeId);
    return bytes == null ? Optional.empty() : read(nodeId, bytes);
  }

  /** Decodes a status once, however often it is looked at. */
  private Optional<Node> read(String nodeId, byte[] bytes) {
    Bytes now = Bytes.wrap(bytes);
    Read before = read.get(nodeId);
    if (before == null || !before.bytes().equals(now)) {
      before = new Read(now, decode(nodeId, bytes));
      read.put(nodeId, before);
    }
    return before.node();
  }

  private static Optional<Node> decode(String nodeId, byte[] bytes) {
    try {
      return Optional.of(NodeRecords.readNode(bytes));
    } catch (UnreadableException e) {
      LOG.warn("status of node not understood node={} reason={}", nodeId, e.getMessage());
      return Optional.empty();
    }
  }
}
