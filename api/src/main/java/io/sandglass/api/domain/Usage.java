package io.sandglass.api.domain;

import java.time.Instant;

/** What is said of usage. */
public sealed interface Usage {

  /**
   * A piece of a sandbox's time in one state, within one UTC hour.
   *
   * @param state {@code running}, {@code frozen} or {@code stopped}
   * @param reverses the id of the interval that this one takes back; null when it takes back none
   */
  record Interval(
      String id,
      String orgId,
      String sandboxId,
      String templateId,
      String templateName,
      Size size,
      String state,
      Instant from,
      Instant to,
      String reverses)
      implements Usage {}

  /** Nothing that touches a time before this one will follow from this partition of the log. */
  record Watermark(int sourcePartition, int sourcePartitions, Instant completeThrough)
      implements Usage {}
}
