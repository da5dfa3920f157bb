package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import java.time.Duration;

/**
 * @param nodeId this node's name
 * @param capacity what it may hold
 * @param spare limits of a container that is made ahead of its sandbox; one of another size is
 *     resized when it claims it, which takes time
 * @param creators how many containers are made at once
 * @param startAttempts how often a start is tried before it is reported as failed
 * @param guestPatience from a container's start until its guest must answer
 * @param stopGrace between asking a sandbox's processes to end and killing them
 * @param firstPause after the first failed attempt, doubled after each
 * @param longestPause between attempts
 */
public record NodeSettings(
    String nodeId,
    Capacity capacity,
    Limits spare,
    int creators,
    int startAttempts,
    Duration guestPatience,
    Duration stopGrace,
    Duration firstPause,
    Duration longestPause) {

  Backoff backoff() {
    return new Backoff(firstPause, longestPause);
  }
}
