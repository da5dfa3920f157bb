package io.sandglass.executor.sandbox;

import java.time.Duration;

/**
 * @param nodeId this node's name
 * @param capacity what it may hold
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
