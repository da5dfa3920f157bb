package io.sandglass.executor.sandbox;

/**
 * Spares of one image.
 *
 * @param starting being made
 * @param hits sandboxes that got one, since this process started
 * @param misses sandboxes that wanted one and found none ready, since then
 */
public record Stock(int wanted, int ready, int starting, long hits, long misses) {}
