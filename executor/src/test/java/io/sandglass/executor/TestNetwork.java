package io.sandglass.executor;

import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.nft.HostCommands;
import io.sandglass.executor.network.nft.NftFirewall;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.TestDocker;
import io.sandglass.executor.sandbox.EgressControl;
import io.sandglass.executor.sandbox.LifeDirectories;
import io.sandglass.executor.sandbox.Networks;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** The real network of a node of the tests; removes it in the end. */
record TestNetwork(String nodeId, DockerRuntime runtime, Range subnet, NftFirewall firewall)
    implements AutoCloseable {

  static TestNetwork of(String nodeId, DockerRuntime runtime, String... dns) {
    Range subnet = runtime.subnet();
    String name = TestDocker.bridge(nodeId);
    return new TestNetwork(
        nodeId,
        runtime,
        subnet,
        new NftFirewall(
            name,
            name,
            Platform.of(new Ranges(List.of(subnet)), List.of(), List.of(), List.of(dns)),
            new HostCommands(Optional.empty())));
  }

  /** As a new process knows them: not at all, until it looks. */
  EgressControl egress(LifeDirectories directories) {
    return new EgressControl(
        runtime,
        firewall,
        new Networks(
            runtime,
            firewall,
            new Addresses(subnet, Duration.ofSeconds(30), InstantSource.system()),
            0),
        directories);
  }

  @Override
  public void close() {
    firewall.demolish();
    TestDocker.removeNode(nodeId);
  }
}
