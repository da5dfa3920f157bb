package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.domain.EgressPolicy;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;

/** A network policy, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@Schema(name = "EgressPolicy")
record EgressView(
    String mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {

  static EgressView of(EgressPolicy policy) {
    return new EgressView(
        policy.mode().text(), policy.allowCidrs(), policy.denyCidrs(), policy.allowPorts());
  }
}
