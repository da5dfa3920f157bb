package io.sandglass.api.control;

import io.sandglass.api.domain.Pool;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the fleet looks like at the moment. */
public interface Nodes {

  /** Where the node's data plane answers; empty when the node is unknown or lost. */
  Optional<URI> dataPlane(String nodeId);

  /** Whether any node could take a sandbox. */
  boolean anyReady();

  /** The images that some ready node has. */
  Set<String> images();

  /** What the ready nodes start ahead, by image and node. */
  List<Pool> pools();
}
