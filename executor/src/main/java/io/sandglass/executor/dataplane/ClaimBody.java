package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.EgressPolicy;
import io.sandglass.executor.sandbox.Order;
import java.util.List;
import java.util.Optional;

/** What a sandbox is to be that a container is wanted for. Unknown fields are a newer API's. */
@JsonIgnoreProperties(ignoreUnknown = true)
record ClaimBody(
    @JsonProperty("org_id") String orgId,
    @JsonProperty("image") String image,
    @JsonProperty("cpu_millis") int cpuMillis,
    @JsonProperty("memory_bytes") long memoryBytes,
    @JsonProperty("egress") Egress egress) {

  /** A network policy; mode is "allow_all" or "deny_all". */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Egress(
      @JsonProperty("mode") String mode,
      @JsonProperty("allow_cidrs") List<String> allowCidrs,
      @JsonProperty("deny_cidrs") List<String> denyCidrs,
      @JsonProperty("allow_ports") List<Integer> allowPorts) {

    boolean isComplete() {
      return mode != null && allowCidrs != null && denyCidrs != null && allowPorts != null;
    }

    /**
     * @throws IllegalArgumentException when it is none
     */
    EgressPolicy policy() {
      EgressPolicy policy =
          new EgressPolicy(EgressPolicy.Mode.named(mode), allowCidrs, denyCidrs, allowPorts);
      var _ = policy.reach();
      return policy;
    }
  }

  /**
   * What will be ordered, as far as it is known.
   *
   * @throws IllegalArgumentException when something is missing or malformed
   */
  Order.Start order(String sandboxId, Optional<String> requestId) {
    if (orgId == null || image == null || egress == null || !egress.isComplete()) {
      throw new IllegalArgumentException("org_id, image or egress is missing or incomplete");
    }
    if (cpuMillis < 1 || memoryBytes < 1) {
      throw new IllegalArgumentException("cpu_millis or memory_bytes is missing");
    }
    return new Order.Start(
        new Order.Subject(new Life(sandboxId, 1), orgId, 0, requestId),
        image,
        new Limits(cpuMillis, memoryBytes),
        egress.policy());
  }
}
