package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.Cidr;
import io.sandglass.api.domain.EgressMode;
import io.sandglass.api.domain.EgressPolicy;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A network policy, as sent. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Egress", description = "Where the sandbox may connect to")
record EgressRequest(
    @Schema(
            requiredMode = Schema.RequiredMode.REQUIRED,
            allowableValues = {"allow_all", "deny_all"})
        String mode,
    @Schema(description = "IPv4 networks it may reach", example = "[\"203.0.113.0/24\"]")
        List<String> allowCidrs,
    @Schema(description = "IPv4 networks it may not reach; looked at before the allowed ones")
        List<String> denyCidrs,
    @Schema(description = "TCP ports that allow_cidrs is limited to") List<Integer> allowPorts) {
  private static final int MOST_ENTRIES = 256;

  /** The policy; its value does not matter when anything was found wrong. */
  EgressPolicy check(String pointer, Violations violations) {
    List<String> allow = orEmpty(allowCidrs);
    List<String> deny = orEmpty(denyCidrs);
    List<Integer> ports = orEmpty(allowPorts);
    Optional<EgressMode> parsed = Optional.ofNullable(mode).flatMap(EgressMode::parse);
    if (parsed.isEmpty()) {
      violations.add(pointer + "/mode", "Expected allow_all or deny_all.");
    }
    if (parsed.equals(Optional.of(EgressMode.ALLOW_ALL))) {
      refuseList(pointer + "/allow_cidrs", allow, violations);
      refuseList(pointer + "/deny_cidrs", deny, violations);
      refuseList(pointer + "/allow_ports", ports, violations);
    }
    if (!ports.isEmpty() && allow.isEmpty()) {
      violations.add(pointer + "/allow_ports", "Expected allow_cidrs beside allow_ports.");
    }
    if (allow.size() + deny.size() + ports.size() > MOST_ENTRIES) {
      violations.add(pointer, "Expected up to " + MOST_ENTRIES + " entries in all lists together.");
      return EgressPolicy.ALLOW_ALL;
    }
    checkNetworks(pointer + "/allow_cidrs", allow, violations);
    checkNetworks(pointer + "/deny_cidrs", deny, violations);
    checkPorts(pointer + "/allow_ports", ports, violations);
    return allow.contains(null) || deny.contains(null) || ports.contains(null)
        ? EgressPolicy.ALLOW_ALL
        : new EgressPolicy(parsed.orElse(EgressMode.DENY_ALL), allow, deny, ports);
  }

  private static void refuseList(String pointer, List<?> list, Violations violations) {
    if (!list.isEmpty()) {
      violations.add(pointer, "Expected no list with mode allow_all; use deny_all.");
    }
  }

  private static void checkNetworks(String pointer, List<String> networks, Violations violations) {
    for (int i = 0; i < networks.size(); i++) {
      String network = networks.get(i);
      Optional<String> flaw =
          network == null ? Optional.of("Expected an IPv4 network.") : Cidr.flaw(network);
      if (flaw.isPresent()) {
        violations.add(pointer + "/" + i, flaw.get());
      }
    }
  }

  private static void checkPorts(String pointer, List<Integer> ports, Violations violations) {
    for (int i = 0; i < ports.size(); i++) {
      Integer port = ports.get(i);
      if (port == null || port < 1 || port > 65_535) {
        violations.add(pointer + "/" + i, "Expected a port from 1 to 65535.");
      }
    }
  }

  /** Unlike {@code List.of}, these lists may be asked whether they hold null. */
  private static <T> List<T> orEmpty(List<T> list) {
    return list == null ? new ArrayList<>() : list;
  }
}
