package io.sandglass.executor.runtime.docker;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * @param host where the Engine listens, such as {@code unix:///var/run/docker.sock}
 * @param nodeId whose containers are seen
 * @param bridge name of the network that this node's sandboxes share, and of its interface on the
 *     host
 * @param subnet of that network when it has to be made; empty for one that is free
 * @param dns resolvers of the sandboxes; empty for none
 * @param pidsLimit most processes and threads of a sandbox
 * @param maxOpenFiles most open files of a process
 * @param timeout patience with one call
 * @param walls between the sandboxes and the kernel
 */
public record DockerSettings(
    String host,
    String nodeId,
    String bridge,
    Optional<String> subnet,
    List<String> dns,
    long pidsLimit,
    long maxOpenFiles,
    Duration timeout,
    Walls walls) {}
