package io.sandglass.engine;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.core.Configuration;
import io.dropwizard.util.Duration;
import io.dropwizard.validation.MinDuration;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.stream.Engine;
import io.sandglass.engine.stream.Settings;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What {@code engine.yml} says. */
public final class EngineConfiguration extends Configuration {

  /**
   * How to reach Kafka and run on it.
   *
   * @param clients settings of the Kafka clients that win over ours, such as those for TLS
   * @param instanceId keeps this process's share of the work across a restart; empty to let the
   *     others take it over at once
   * @param partitions of the topics keyed by sandbox; counts only when they are created
   * @param slots how many nodes there can be; counts only when the orders topic is created
   * @param commitInterval how long what somebody waits for may wait for others to be committed
   *     with; what nobody waits for may take ten times as long
   */
  public record Kafka(
      @NotBlank String bootstrapServers,
      Map<String, String> clients,
      @NotBlank String applicationId,
      @NotNull String instanceId,
      @Min(1) @Max(1024) int partitions,
      @Min(1) @Max(1024) int slots,
      @Min(1) short replication,
      @Min(1) @Max(64) int threads,
      @Min(0) int standbys,
      @NotNull @MinDuration(value = 1, unit = TimeUnit.MILLISECONDS) Duration commitInterval) {

    public Kafka {
      clients = clients == null ? Map.of() : Map.copyOf(clients);
    }

    /** What every client is told. */
    Map<String, String> settings() {
      Map<String, String> settings = new HashMap<>();
      settings.put("bootstrap.servers", bootstrapServers);
      settings.putAll(clients);
      return Map.copyOf(settings);
    }
  }

  /**
   * How time passes.
   *
   * @param tick how often deadlines are looked at
   * @param budget the longest that one look may hold up commands
   * @param nodeTimeout how long a node may be silent until it is lost
   */
  public record Time(
      @NotNull @MinDuration(value = 1, unit = TimeUnit.MILLISECONDS) Duration tick,
      @NotNull @MinDuration(value = 1, unit = TimeUnit.MILLISECONDS) Duration budget,
      @NotNull @MinDuration(value = 1, unit = TimeUnit.SECONDS) Duration nodeTimeout) {}

  /** How long sandboxes created from now on are waited for; see {@link Patience}. */
  public record Waits(
      @NotNull Duration start,
      @NotNull Duration stopRetry,
      @NotNull Duration suspendRetry,
      @NotNull Duration resumeRetry,
      @NotNull Duration freezeFor,
      @NotNull Duration maxTimeout,
      @Min(1) int maxPlacements) {

    Patience toPatience() {
      return new Patience(
          start.toJavaDuration(),
          stopRetry.toJavaDuration(),
          suspendRetry.toJavaDuration(),
          resumeRetry.toJavaDuration(),
          freezeFor.toJavaDuration(),
          maxTimeout.toJavaDuration(),
          maxPlacements);
    }
  }

  /**
   * How the log is vouched for.
   *
   * @param checkpoints how often a partition that has grown gets a signed checkpoint
   * @param key the file of the key that signs them, made when it isn't there
   */
  public record Audit(
      @NotNull @MinDuration(value = 100, unit = TimeUnit.MILLISECONDS) Duration checkpoints,
      @NotNull Path key) {}

  /**
   * The usage application, which runs beside the engine or in processes of its own.
   *
   * @param enabled whether it runs in this process
   * @param applicationId name of its consumer group, and prefix of its changelog topics
   * @param settle the longest that an event takes from being decided to being in the log, and that
   *     clocks may differ; how far behind the present usage is complete
   */
  public record Usage(
      boolean enabled,
      @NotBlank String applicationId,
      @NotNull @MinDuration(value = 1, unit = TimeUnit.MILLISECONDS) Duration settle) {
    java.time.Duration settles() {
      return settle.toJavaDuration();
    }
  }

  private static final int PATIENCE_OF_NOBODY = 10;
  private static final java.time.Duration USAGE_COMMITS = java.time.Duration.ofSeconds(1);

  private final Kafka kafka;
  private final Path dataDirectory;
  private final Time time;
  private final Waits patience;
  private final Audit audit;
  private final Usage usage;

  public EngineConfiguration(
      @JsonProperty("kafka") Kafka kafka,
      @JsonProperty("dataDirectory") Path dataDirectory,
      @JsonProperty("time") Time time,
      @JsonProperty("patience") Waits patience,
      @JsonProperty("audit") Audit audit,
      @JsonProperty("usage") Usage usage) {
    this.kafka = kafka;
    this.dataDirectory = dataDirectory;
    this.time = time;
    this.patience = patience;
    this.audit = audit;
    this.usage = usage;
  }

  @Valid
  @NotNull
  public Kafka getKafka() {
    return kafka;
  }

  @NotNull
  public Path getDataDirectory() {
    return dataDirectory;
  }

  @Valid
  @NotNull
  public Time getTime() {
    return time;
  }

  @Valid
  @NotNull
  public Waits getPatience() {
    return patience;
  }

  @Valid
  @NotNull
  public Audit getAudit() {
    return audit;
  }

  @Valid
  @NotNull
  public Usage getUsage() {
    return usage;
  }

  Engine.Deployment usageDeployment() {
    return new Engine.Deployment(
        kafka.settings(),
        usage.applicationId(),
        kafka.instanceId(),
        dataDirectory.resolve("usage"),
        kafka.partitions(),
        kafka.slots(),
        kafka.replication(),
        1,
        kafka.standbys(),
        USAGE_COMMITS);
  }

  Engine.Deployment deployment() {
    return new Engine.Deployment(
        kafka.settings(),
        kafka.applicationId(),
        kafka.instanceId(),
        dataDirectory.resolve("engine"),
        kafka.partitions(),
        kafka.slots(),
        kafka.replication(),
        kafka.threads(),
        kafka.standbys(),
        kafka.commitInterval().toJavaDuration().multipliedBy(PATIENCE_OF_NOBODY));
  }

  Settings settings() {
    return new Settings(
        patience.toPatience(),
        time.tick().toJavaDuration(),
        time.budget().toJavaDuration(),
        time.nodeTimeout().toJavaDuration(),
        audit.checkpoints().toJavaDuration(),
        kafka.commitInterval().toJavaDuration(),
        kafka.slots());
  }
}
