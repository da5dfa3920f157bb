package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Rejection;
import java.time.Instant;
import java.util.Optional;

/**
 * What a command was answered.
 *
 * @param code why it was turned down; empty when it was accepted
 * @param version the sandbox's version after the command
 * @param fingerprint of the request that was answered
 */
public record Receipt(
    Optional<Rejection> code,
    Optional<String> detail,
    long version,
    Instant at,
    Optional<String> fingerprint) {

  /** The answer to a command that is so now. */
  public static Receipt accepted(Envelope envelope, long version, Instant at) {
    return new Receipt(Optional.empty(), Optional.empty(), version, at, envelope.fingerprint());
  }

  /** The answer to a command that was turned down. */
  public static Receipt rejected(
      Envelope envelope, Rejection code, String sentence, long version, Instant at) {
    return new Receipt(
        Optional.of(code), Optional.of(sentence), version, at, envelope.fingerprint());
  }
}
