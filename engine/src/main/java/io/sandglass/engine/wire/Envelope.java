package io.sandglass.engine.wire;

import java.util.Optional;

/**
 * What a command says of itself beside what it asks for.
 *
 * @param commandId the same for every repetition of the same intent
 * @param replyPartition where its sender listens; empty when nobody does, and then nobody is
 *     answered
 * @param fingerprint hash of the request: the same command id with another one is a conflict
 */
public record Envelope(
    String commandId,
    String sandboxId,
    String org,
    Optional<String> requestId,
    Optional<Integer> replyPartition,
    Optional<String> fingerprint) {}
