/**
 * What sandboxes are charged for, as a pure function of their events: {@link
 * io.sandglass.engine.usage.Metering} folds a sandbox's events into closed intervals. Depends on
 * {@code java.*} and the lifecycle's facts only: no clock, no wire.
 */
package io.sandglass.engine.usage;
