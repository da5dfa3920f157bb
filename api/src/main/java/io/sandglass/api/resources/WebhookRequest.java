package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Webhooks;
import io.sandglass.api.store.WebhookStore;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The bodies that make and change webhooks. */
final class WebhookRequest {
  private static final int LONGEST_DESCRIPTION = 500;
  private static final String URL =
      "An https URL whose host has public addresses only, unless the operator allows more";
  private static final String TYPES = "Only these types of events; none for all";

  private WebhookRequest() {}

  /** The body that makes one. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "WebhookRequest")
  record Creation(
      @Schema(
              requiredMode = Schema.RequiredMode.REQUIRED,
              description = URL,
              example = "https://example.com/hooks/sandglass")
          String url,
      String description,
      @Schema(description = TYPES) List<String> eventTypes) {

    Webhooks.Draft check(Webhooks webhooks) {
      Violations violations = new Violations();
      if (url == null) {
        violations.add("/url", "Expected a URL.");
      }
      WebhookRequest.check(webhooks, url, description, eventTypes, violations);
      return new Webhooks.Draft(
          url,
          description == null ? "" : description,
          eventTypes == null ? Set.of() : Set.copyOf(eventTypes));
    }
  }

  /** The body that changes one. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "WebhookChange", description = "What is left out stays")
  record Changes(
      @Schema(description = URL) String url,
      String description,
      @Schema(description = TYPES + ". Holds for what happens from now on") List<String> eventTypes,
      @Schema(
              description =
                  "false stops sending; true takes up where it stopped, and begins the attempts of"
                      + " what is pending anew")
          Boolean enabled) {

    WebhookStore.Change check(Webhooks webhooks) {
      WebhookRequest.check(webhooks, url, description, eventTypes, new Violations());
      return new WebhookStore.Change(
          Optional.ofNullable(url),
          Optional.ofNullable(description),
          Optional.ofNullable(eventTypes).map(Set::copyOf),
          Optional.ofNullable(enabled));
    }
  }

  private static void check(
      Webhooks webhooks,
      String url,
      String description,
      List<String> eventTypes,
      Violations violations) {
    if (description != null && description.length() > LONGEST_DESCRIPTION) {
      violations.add("/description", "Expected up to " + LONGEST_DESCRIPTION + " characters.");
    }
    // A set that may be asked for null, which immutable ones refuse.
    if (eventTypes != null && !new HashSet<>(HistoryQuery.TYPES).containsAll(eventTypes)) {
      violations.add("/event_types", "Expected types of events, such as SandboxStarted.");
    }
    violations.throwIfAny();
    // Last, because it asks the name's servers.
    if (url != null) {
      webhooks.flaw(url).ifPresent(flaw -> violations.add("/url", flaw));
      violations.throwIfAny();
    }
  }
}
