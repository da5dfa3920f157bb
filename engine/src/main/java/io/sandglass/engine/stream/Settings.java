package io.sandglass.engine.stream;

import io.sandglass.engine.lifecycle.Patience;
import java.time.Duration;

/**
 * What the topology is told once.
 *
 * @param patience what a sandbox created now gets for its life
 * @param tick how often deadlines are looked at
 * @param timerBudget the longest that one look may hold up commands
 * @param nodeTimeout how long a node may be silent
 * @param checkpoints how often a partition that has grown gets a checkpoint
 * @param commitInterval how long what somebody waits for may wait for others to be committed with
 * @param slots partitions of the orders topic: how many nodes there can be
 */
public record Settings(
    Patience patience,
    Duration tick,
    Duration timerBudget,
    Duration nodeTimeout,
    Duration checkpoints,
    Duration commitInterval,
    int slots) {

  Settings withSlots(int counted) {
    return new Settings(
        patience, tick, timerBudget, nodeTimeout, checkpoints, commitInterval, counted);
  }
}
