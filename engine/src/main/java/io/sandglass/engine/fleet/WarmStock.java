package io.sandglass.engine.fleet;

/**
 * Containers of one image that a node starts ahead.
 *
 * @param starting being made
 * @param hits sandboxes that got one, since the node's executor started
 * @param misses sandboxes that wanted one and found none ready, since then
 */
public record WarmStock(int wanted, int ready, int starting, long hits, long misses) {}
