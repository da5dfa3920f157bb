package io.sandglass.engine.stream;

import io.sandglass.engine.audit.SigningKey;
import java.util.function.LongSupplier;

/**
 * What the topology needs from outside Streams.
 *
 * @param key signs checkpoints
 * @param nanoTime measures budgets; tells no time of day
 */
record Ports(Backlog backlog, EngineMetrics metrics, SigningKey key, LongSupplier nanoTime) {}
