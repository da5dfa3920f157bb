package io.sandglass.executor;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.core.Configuration;
import io.dropwizard.util.Duration;
import io.sandglass.executor.runtime.DiskUse;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The executor's configuration; {@code executor.yml} on the class path holds the defaults. */
public final class ExecutorConfiguration extends Configuration {

  @JsonProperty @Valid @NotNull KafkaSection kafka = new KafkaSection();

  @JsonProperty
  @NotBlank
  @Pattern(regexp = "[a-z0-9-]{1,63}")
  String nodeId = "";

  /** Where the API reaches this node's data plane. */
  @JsonProperty @NotBlank String advertisedUrl = "";

  @JsonProperty @NotBlank String dataPlaneKey = "";

  /** Of this node alone; the container runtime must see it under the same path. */
  @JsonProperty @NotBlank String dataDirectory = "";

  @JsonProperty @NotNull Map<String, String> labels = Map.of();

  @JsonProperty @NotNull Duration heartbeatInterval = Duration.seconds(2);

  @JsonProperty @Valid @NotNull DockerSection docker = new DockerSection();

  @JsonProperty @Valid @NotNull NetworkSection network = new NetworkSection();

  @JsonProperty @Valid @NotNull CapacitySection capacity = new CapacitySection();

  @JsonProperty @Valid @NotNull BuildSection builds = new BuildSection();

  @JsonProperty @Valid @NotNull WorkSection work = new WorkSection();

  @JsonProperty @Valid @NotNull PoolSection pool = new PoolSection();

  @JsonProperty @Valid @NotNull ExecutionSection executions = new ExecutionSection();

  /** How Kafka is reached. */
  static final class KafkaSection {
    @JsonProperty @NotBlank String bootstrapServers = "localhost:9092";

    /** Settings of the Kafka clients that win over ours, such as those for TLS. */
    @JsonProperty @NotNull Map<String, String> clients = Map.of();

    /** What every client is told. */
    Map<String, String> settings() {
      Map<String, String> settings = new HashMap<>();
      settings.put("bootstrap.servers", bootstrapServers);
      settings.putAll(clients);
      return Map.copyOf(settings);
    }
  }

  /** The Docker Engine, and what every container is given. */
  static final class DockerSection {
    @JsonProperty @NotBlank String host = "unix:///var/run/docker.sock";

    @JsonProperty
    @Min(16)
    long pidsLimit = 512;

    @JsonProperty
    @Min(64)
    long maxOpenFiles = 16384;

    /** Most bytes that a sandbox may have written over its image; 0 is any number. */
    @JsonProperty
    @Min(0)
    long diskBytes = 10L << 30;

    /** Most files, directories and links that it may have made; 0 is any number. */
    @JsonProperty
    @Min(0)
    long diskFiles = 1_000_000;

    @JsonProperty @NotNull Duration timeout = Duration.seconds(60);

    /** The OCI runtime, as the Engine knows it: runc, crun, runsc, kata; empty for its default. */
    @JsonProperty @NotNull String runtime = "";

    /** File with a seccomp profile to use instead of our own; empty for our own. */
    @JsonProperty @NotNull String seccompProfile = "";

    DiskUse disk() {
      return new DiskUse(diskBytes, diskFiles);
    }
  }

  /** What a build of a template may use, beside the sandboxes; one is built at a time. */
  static final class BuildSection {
    @JsonProperty
    @Min(1)
    int cpuMillis = 1000;

    @JsonProperty
    @Min(16L << 20)
    long memoryBytes = 1L << 30;

    @JsonProperty @NotNull Duration timeout = Duration.minutes(15);

    /**
     * Network of Docker's that RUN steps are connected to, whatever is reached from there; none for
     * none.
     */
    @JsonProperty
    @NotNull
    @Pattern(regexp = "(?!host$)[a-zA-Z0-9][a-zA-Z0-9_.-]*")
    String network = "none";
  }

  /** What the sandboxes are connected to, and what they never reach. */
  static final class NetworkSection {
    /** Of Docker's network, its interface on the host, and the packet filter's table. */
    @JsonProperty
    @NotNull
    @Pattern(regexp = "([a-z][a-z0-9-]{0,14})?")
    String name = "";

    /** Of the network when it is made; empty for a free one of 10.208.0.0/12. */
    @JsonProperty @NotNull String subnet = "";

    /**
     * The Docker Engine's, for an executor that is not in its network namespace; empty otherwise.
     */
    @JsonProperty @NotNull String enginePidFile = "";

    /** Resolvers of the sandboxes. What a policy opens they reach on port 53, wherever they are. */
    @JsonProperty @NotNull List<String> dns = List.of();

    /** Private networks that sandboxes may reach when their policy lets them. */
    @JsonProperty @NotNull List<String> open = List.of();

    /** Public networks that no sandbox reaches. */
    @JsonProperty @NotNull List<String> closed = List.of();

    /** How long an address is nobody's after its sandbox is gone. */
    @JsonProperty @NotNull Duration addressRest = Duration.seconds(30);

    /** How many network namespaces to keep ready for sandboxes that start. */
    @JsonProperty
    @Min(0)
    int ahead = 4;
  }

  /** What the node may hold; 0 is taken from the machine that the containers run on. */
  static final class CapacitySection {
    @JsonProperty
    @Min(0)
    int cpuMillis;

    /** Sandboxes mostly wait: how often each CPU is given away when {@code cpuMillis} is 0. */
    @JsonProperty
    @Min(1)
    int cpuOvercommit = 32;

    @JsonProperty
    @Min(0)
    long memoryBytes;

    /** The part of the machine's memory that is given away when {@code memoryBytes} is 0. */
    @JsonProperty
    @Min(1)
    int memoryPercent = 90;

    /**
     * The part of the memory, of what may be given away and of what the machine has, that frozen
     * sandboxes are stopped for.
     */
    @JsonProperty
    @Min(0)
    @Max(100)
    int memoryReservePercent = 5;

    @JsonProperty
    @Min(1)
    int sandboxes = 500;
  }

  /** The patience of the work on orders. */
  static final class WorkSection {
    /** Containers made at once; 0 is two per CPU. */
    @JsonProperty
    @Min(0)
    int creators;

    @JsonProperty
    @Min(1)
    int startAttempts = 5;

    @JsonProperty @NotNull Duration guestPatience = Duration.seconds(20);
    @JsonProperty @NotNull Duration stopGrace = Duration.seconds(2);
    @JsonProperty @NotNull Duration relistInterval = Duration.seconds(3);

    /** Between looks at what the sandboxes have written to disk. */
    @JsonProperty @NotNull Duration diskInterval = Duration.seconds(5);

    /** Between looks at how much memory is free. */
    @JsonProperty @NotNull Duration memoryInterval = Duration.seconds(2);

    /** When everything is asked about once more after the start. */
    @JsonProperty @NotNull Duration askAfterStart = Duration.seconds(6);

    @JsonProperty @NotNull Duration askInterval = Duration.seconds(60);

    @JsonProperty
    @Min(1)
    int ordersInFlight = 10_000;
  }

  /** Containers that are made ahead of their sandboxes. */
  static final class PoolSection {
    /** How many to keep ready of an image, beside those that templates ask for. */
    @JsonProperty @NotNull Map<String, @Min(0) Integer> images = Map.of();

    /** Their size: a sandbox of another size resizes the one it claims, which takes time. */
    @JsonProperty
    @Min(1)
    int cpuMillis = 1000;

    @JsonProperty
    @Min(16L << 20)
    long memoryBytes = 256L << 20;
  }

  /** Commands in sandboxes. */
  static final class ExecutionSection {
    @JsonProperty
    @Min(1)
    int perSandbox = 32;

    /** Uploads, downloads and listings in all sandboxes together. */
    @JsonProperty
    @Min(1)
    int transfersAtOnce = 128;

    /** Bytes of each stream that are passed on. */
    @JsonProperty
    @Min(0)
    long outputBytes = 10L * 1024 * 1024;

    /**
     * How long past a command's timeout the guest may take to answer: it is one of many processes
     * on the node, and an outcome that nobody knows is worse than a late one.
     */
    @JsonProperty @NotNull Duration overtime = Duration.seconds(10);

    /** How long an execution's id is remembered. */
    @JsonProperty @NotNull Duration memory = Duration.minutes(10);
  }
}
