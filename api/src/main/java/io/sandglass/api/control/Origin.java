package io.sandglass.api.control;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Ids;

/**
 * Whom a request is from and how it is recognised when it comes again.
 *
 * @param actor as the log names it, {@code key:<key id>}
 * @param idempotencyKey null when the client gave none
 * @param fingerprint hash of the request; null without an idempotency key
 */
public record Origin(
    String orgId, String actor, String requestId, String idempotencyKey, String fingerprint) {

  /** Of what a request brings about beside what its idempotency key stands for. */
  Origin unkeyed() {
    return new Origin(orgId, actor, requestId, null, fingerprint);
  }

  /** The same one for a repeated request with an idempotency key. */
  String id(String prefix, Ids ids) {
    return idempotencyKey == null
        ? ids.next(prefix)
        : Ids.derived(prefix, prefix, orgId, idempotencyKey);
  }

  Command.Header header(String sandboxId, Ids ids) {
    return new Command.Header(id("cmd_", ids), sandboxId, orgId, actor, requestId, fingerprint);
  }
}
