package io.sandglass.api.wire;

import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Usage;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;

/** Reads what is said of usage. */
public final class UsageReader {
  private UsageReader() {}

  public static Usage read(UsageInterval interval) {
    return new Usage.Interval(
        interval.getIntervalId(),
        interval.getOrgId(),
        interval.getSandboxId(),
        interval.getTemplateId(),
        interval.getTemplateName(),
        new Size(
            interval.getSize().getName(),
            interval.getSize().getCpuMillis(),
            interval.getSize().getMemoryBytes()),
        interval.getState(),
        interval.getFrom(),
        interval.getTo(),
        interval.getReverses());
  }

  public static Usage read(UsageWatermark watermark) {
    return new Usage.Watermark(
        watermark.getSourcePartition(),
        watermark.getSourcePartitions(),
        watermark.getCompleteThrough());
  }
}
