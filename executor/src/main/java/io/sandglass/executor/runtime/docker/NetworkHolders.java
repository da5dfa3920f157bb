package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.BuildImageResultCallback;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.HostConfig;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.GuestBinary;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Network namespaces for sandboxes to join. To make one and to connect it is most of what Docker
 * does when it starts a container; here a container does it ahead whose only process sleeps, like
 * the pause container of a Kubernetes pod. One per address, of which its name is made: it is never
 * two sandboxes', one after the other.
 */
final class NetworkHolders {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkHolders.class);

  /** Holds nothing but the guest's binary. */
  static final String REPOSITORY = "sandglass/holder";

  /** For the OCI runtime while it starts; the process itself needs less than a tenth. */
  private static final Limits LIMITS = new Limits(1000, 32L << 20);

  /** The sandbox itself, where nobody listens. */
  private static final List<String> NO_RESOLVER = List.of("127.0.0.1");

  /** Not the host's search domains either. */
  private static final List<String> NO_SEARCH = List.of(".");

  private static final Set<String> HOLDING = Set.of("running", "paused");

  private static final boolean IPV6 = Files.exists(Path.of("/proc/sys/net/ipv6"));

  private final DockerClient docker;
  private final DockerSettings settings;
  private final BridgeNetwork bridge;
  private Optional<String> image = Optional.empty();

  NetworkHolders(DockerClient docker, DockerSettings settings, BridgeNetwork bridge) {
    this.docker = docker;
    this.settings = settings;
    this.bridge = bridge;
  }

  /** What the network mode of a container is that joins. */
  String mode(String address) {
    return "container:" + name(address);
  }

  private String name(String address) {
    return "net-" + settings.bridge() + "-" + address;
  }

  /** Makes the namespace of an address unless it is there. */
  void open(String address) {
    if (start(address)) {
      return;
    }
    try {
      create(address);
    } catch (NotFoundException e) {
      forget(); // somebody has removed the image or the network
      create(address);
    }
    start(address);
  }

  /** False when there is none to be started. */
  private boolean start(String address) {
    try {
      docker.startContainerCmd(name(address)).exec();
      return true;
    } catch (NotModifiedException e) {
      return true;
    } catch (NotFoundException e) {
      return false;
    }
  }

  private void create(String address) {
    bridge.ensure();
    try {
      docker
          .createContainerCmd(image())
          .withName(name(address))
          .withHostName("sandbox")
          .withLabels(Map.of(Labels.NODE, settings.nodeId(), Labels.HOLDER, address))
          .withEntrypoint("/guest", "--hold")
          .withIpv4Address(address)
          .withHostConfig(hostConfig())
          .exec();
    } catch (ConflictException e) {
      LOG.debug("address={} is held by another call's holder", address);
    }
  }

  private HostConfig hostConfig() {
    return ContainerRequest.walls(settings, LIMITS)
        .withCapAdd()
        .withReadonlyRootfs(true)
        // Which every Engine has; another may take over, and away, what is in the namespace.
        .withRuntime("runc")
        .withNetworkMode(settings.bridge())
        // Without resolvers of its own, Docker would ask the host's, from the host's namespace.
        .withDns(settings.dns().isEmpty() ? NO_RESOLVER : settings.dns())
        .withDnsSearch(NO_SEARCH)
        .withSysctls(IPV6 ? Map.of("net.ipv6.conf.all.disable_ipv6", "1") : Map.of());
  }

  private synchronized void forget() {
    image = Optional.empty();
    bridge.forget();
  }

  /** Removes it, with all that is in it; does nothing where there is none. */
  void close(String address) {
    try {
      docker.removeContainerCmd(name(address)).withForce(true).exec();
    } catch (NotFoundException e) {
      LOG.debug("address={} was not held", address);
    }
  }

  /** Whether it runs, of each address that has a holder on this bridge. */
  Map<String, Boolean> all() {
    return docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(List.of(Labels.NODE + "=" + settings.nodeId(), Labels.HOLDER))
        .exec()
        .stream()
        .filter(one -> one.getNames()[0].equals("/" + name(one.getLabels().get(Labels.HOLDER))))
        .collect(
            Collectors.toMap(
                container -> container.getLabels().get(Labels.HOLDER),
                container -> HOLDING.contains(container.getState())));
  }

  private synchronized String image() {
    if (image.isEmpty()) {
      image = Optional.of(makeImage());
    }
    return image.get();
  }

  /** Its tag tells its content, so another version's has another. */
  private String makeImage() {
    try (InputStream in = GuestBinary.open()) {
      byte[] binary = in.readAllBytes();
      String reference = REPOSITORY + ":" + sha256(binary).substring(0, 12);
      try {
        docker.inspectImageCmd(reference).exec();
      } catch (NotFoundException e) {
        docker
            .buildImageCmd(context(binary))
            .withTags(Set.of(reference))
            .exec(new BuildImageResultCallback())
            .awaitImageId();
        LOG.info("image={} made", reference);
      }
      return reference;
    } catch (IOException e) {
      throw new UncheckedIOException("The image of network holders can't be made", e);
    }
  }

  private static InputStream context(byte[] binary) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      add(tar, "Dockerfile", "FROM scratch\nCOPY guest /\n".getBytes(StandardCharsets.UTF_8));
      add(tar, "guest", binary);
    }
    return new ByteArrayInputStream(bytes.toByteArray());
  }

  private static void add(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(0555);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
