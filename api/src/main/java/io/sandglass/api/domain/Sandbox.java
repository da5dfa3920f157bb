package io.sandglass.api.domain;

import java.time.Instant;

/**
 * A sandbox as its events up to {@code version} tell it.
 *
 * @param reason why it ended or rests; null while it does neither
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

    /** It is in that status from then on; the first sleep and the first end count. */
    Times in(Status status, Instant at) {
      return switch (status) {
        case ABSENT, CREATING -> this;
        case RUNNING ->
            new Times(createdAt, startedAt, expiresAt, lastActivityAt, null, destroyedAt);
        case SUSPENDED ->
            suspendedAt == null
                ? new Times(createdAt, startedAt, expiresAt, lastActivityAt, at, destroyedAt)
                : this;
        case DESTROYED ->
            destroyedAt == null
                ? new Times(createdAt, startedAt, expiresAt, lastActivityAt, suspendedAt, at)
                : this;
      };
    }

    Times expiringAt(Instant at) {
      return new Times(createdAt, startedAt, at, lastActivityAt, suspendedAt, destroyedAt);
    }

    Times activeAt(Instant at) {
      return new Times(createdAt, startedAt, expiresAt, at, suspendedAt, destroyedAt);
    }
  }

  /** As it is shown: with the names of its environment alone. */
  public Sandbox withoutEnvValues() {
    return new Sandbox(
        id,
        orgId,
        spec.withEnv(new SealedEnv(spec.envNames(), null)),
        status,
        times,
        reason,
        nodeId,
        incarnation,
        version);
  }

  /** Whether its node was asked to wake it and has not answered; one that rests has a reason. */
  public boolean isWaking() {
    return status == Status.SUSPENDED && reason == null;
  }

  /** A closed code and a sentence. */
  public record Reason(String code, String detail) {
    static final String WAKE_FAILED = "wake_failed";

    /** Whether another try to wake it would come to the same. */
    public boolean keepsItAsleep() {
      return code.equals(WAKE_FAILED) || code.equals("node_lost") || code.equals("exited");
    }
  }
}
