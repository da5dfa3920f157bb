package io.sandglass.api.domain;

import java.time.Instant;

/**
 * A sandbox as its events up to {@code version} tell it.
 *
 * @param reason why it ended or rests unasked; null while nothing unusual happened
 * @param incarnation which life of its container this is
 */
public record Sandbox(
    String id,
    String orgId,
    SandboxSpec spec,
    Status status,
    Times times,
    Reason reason,
    String nodeId,
    int incarnation,
    long version) {

  /** When things happened to it; each but {@code createdAt} is null until it has. */
  public record Times(
      Instant createdAt,
      Instant startedAt,
      Instant expiresAt,
      Instant lastActivityAt,
      Instant suspendedAt,
      Instant destroyedAt) {

    Times started(Instant at) {
      return new Times(
          createdAt, startedAt == null ? at : startedAt, expiresAt, at, suspendedAt, destroyedAt);
    }

    Times expiringAt(Instant at) {
      return new Times(createdAt, startedAt, at, lastActivityAt, suspendedAt, destroyedAt);
    }

    Times activeAt(Instant at) {
      return new Times(createdAt, startedAt, expiresAt, at, suspendedAt, destroyedAt);
    }

    Times suspendedAt(Instant at) {
      return new Times(createdAt, startedAt, expiresAt, lastActivityAt, at, destroyedAt);
    }

    /** The first end counts. */
    Times destroyedAt(Instant at) {
      return new Times(
          createdAt,
          startedAt,
          expiresAt,
          lastActivityAt,
          suspendedAt,
          destroyedAt == null ? at : destroyedAt);
    }
  }

  /** A closed code and a sentence. */
  public record Reason(String code, String detail) {}
}
