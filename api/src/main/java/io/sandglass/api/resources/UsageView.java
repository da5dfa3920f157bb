package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.store.UsageStore;
import io.swagger.v3.oas.annotations.media.Schema;
import java.math.BigDecimal;

/** What a group used, to the millisecond. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({
  "day",
  "sandbox_id",
  "template_id",
  "template",
  "size",
  "running_seconds",
  "suspended_seconds",
  "frozen_seconds",
  "stopped_seconds"
})
@Schema(name = "Usage")
record UsageView(
    @Schema(description = "With group_by=day, in UTC", format = "date") String day,
    @Schema(description = "With group_by=sandbox") String sandboxId,
    @Schema(description = "With group_by=template") String templateId,
    @Schema(description = "With group_by=template: its name") String template,
    @Schema(description = "With group_by=size") String size,
    @Schema(example = "12.345") BigDecimal runningSeconds,
    @Schema(description = "Frozen and stopped together", example = "600.000")
        BigDecimal suspendedSeconds,
    @Schema(description = "Suspended with its memory kept", example = "600.000")
        BigDecimal frozenSeconds,
    @Schema(description = "Suspended with its files kept", example = "0.000")
        BigDecimal stoppedSeconds) {

  static UsageView of(UsageStore.Group group, UsageStore.Sums sums) {
    return new UsageView(
        group.day() == null ? null : group.day().toString(),
        group.sandboxId(),
        group.templateId(),
        group.template(),
        group.size(),
        seconds(sums.running()),
        seconds(sums.frozen() + sums.stopped()),
        seconds(sums.frozen()),
        seconds(sums.stopped()));
  }

  private static BigDecimal seconds(long millis) {
    return BigDecimal.valueOf(millis, 3);
  }
}
