package io.sandglass.api.dataplane;

/**
 * Which life of a sandbox's container is meant.
 *
 * @param wake version of the sandbox at which its node was ordered to wake it, which the node then
 *     waits for; 0 where it is awake
 */
public record Life(String sandboxId, int incarnation, long wake) {}
