package io.sandglass.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.dropwizard.core.Configuration;
import io.dropwizard.db.DataSourceFactory;
import io.dropwizard.util.Duration;
import io.dropwizard.validation.MinDuration;
import io.sandglass.api.domain.Network;
import io.sandglass.api.domain.Quota;
import io.sandglass.api.domain.RetrySchedule;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.WebhookTargets;
import io.sandglass.api.kafka.KafkaSettings;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What {@code api.yml} says; the defaults and their reasons are there. */
public final class ApiConfiguration extends Configuration {

  /** How Kafka is reached. */
  record Kafka(@NotBlank String bootstrapServers, Map<String, String> clients) {
    KafkaSettings settings() {
      return new KafkaSettings(bootstrapServers, clients == null ? Map.of() : clients);
    }
  }

  /** A size that sandboxes may have. */
  record SizeEntry(@NotBlank String name, @Min(1) int cpuMillis, @Min(16) long memoryMb) {
    Size size() {
      return new Size(name, cpuMillis, memoryMb << 20);
    }
  }

  /**
   * How webhooks are sent.
   *
   * @param allowNetworks separated by commas
   */
  record Webhooks(
      boolean allowHttp,
      @NotNull String allowNetworks,
      @NotNull @MinDuration(value = 100, unit = TimeUnit.MILLISECONDS) Duration timeout,
      @NotNull @MinDuration(value = 100, unit = TimeUnit.MILLISECONDS) Duration firstRetry,
      @NotNull @MinDuration(value = 100, unit = TimeUnit.MILLISECONDS) Duration longestRetry,
      @NotNull @MinDuration(value = 1, unit = TimeUnit.SECONDS) Duration retryFor) {

    /**
     * Where they may lead.
     *
     * @throws IllegalArgumentException when a network is not one
     */
    WebhookTargets targets() {
      return new WebhookTargets(
          allowHttp,
          Stream.of(allowNetworks.split(",", -1))
              .map(String::strip)
              .filter(text -> !text.isEmpty())
              .map(
                  text ->
                      Network.parse(text)
                          .orElseThrow(
                              () ->
                                  new IllegalArgumentException(
                                      "webhooks.allowNetworks: expected networks such as"
                                          + " 10.0.0.0/8, but found "
                                          + text)))
              .toList());
    }

    RetrySchedule schedule() {
      return new RetrySchedule(
          firstRetry.toJavaDuration(), longestRetry.toJavaDuration(), retryFor.toJavaDuration());
    }
  }

  /** What an organization may have when nothing else is said. */
  record QuotaSection(
      @Min(0) long liveSandboxes,
      @Min(0) long cpuMillis,
      @Min(0) long memoryMb,
      @Min(1) int createsPerSecond) {
    Quota quota() {
      return new Quota(liveSandboxes, cpuMillis, memoryMb, createsPerSecond);
    }
  }

  @Valid @NotNull @JsonProperty private DataSourceFactory database;
  @Valid @NotNull @JsonProperty private Kafka kafka;
  @NotNull @JsonProperty private String instanceId = "";
  @NotNull @JsonProperty private String adminKey = "";
  @NotNull @JsonProperty private String masterKey = "";
  @NotBlank @JsonProperty private String dataDirectory;
  @NotBlank @JsonProperty private String dataPlaneKey = "";
  @NotNull @JsonProperty private Duration patience = Duration.seconds(5);
  @Valid @NotNull @JsonProperty private Webhooks webhooks;
  @NotEmpty @JsonProperty private Map<String, String> templates;
  @Valid @NotEmpty @JsonProperty private List<SizeEntry> sizes;
  @Valid @NotNull @JsonProperty private QuotaSection quota;

  @Min(1)
  @JsonProperty
  private int requestsInFlight;

  @Min(0)
  @JsonProperty
  private int refusalsPerHour;

  DataSourceFactory database() {
    return database;
  }

  KafkaSettings kafka() {
    return kafka.settings();
  }

  String instanceId() {
    return instanceId;
  }

  String adminKey() {
    return adminKey;
  }

  String masterKey() {
    return masterKey;
  }

  String dataDirectory() {
    return dataDirectory;
  }

  String dataPlaneKey() {
    return dataPlaneKey;
  }

  java.time.Duration patience() {
    return patience.toJavaDuration();
  }

  Webhooks webhooks() {
    return webhooks;
  }

  Map<String, String> templates() {
    return templates;
  }

  Quota quota() {
    return quota.quota();
  }

  int requestsInFlight() {
    return requestsInFlight;
  }

  int refusalsPerHour() {
    return refusalsPerHour;
  }

  List<Size> sizes() {
    return sizes.stream().map(SizeEntry::size).toList();
  }
}
