package io.sandglass.engine.stream;

import java.util.function.LongSupplier;

/**
 * What the topology needs from outside Streams.
 *
 * @param nanoTime measures budgets; tells no time of day
 */
record Ports(Backlog backlog, EngineMetrics metrics, LongSupplier nanoTime) {}
