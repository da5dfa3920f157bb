package io.sandglass.api.http;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Everything that can go wrong for a client. Each type has a page at {@code /problems/<slug>}. */
public enum ProblemType {
  INVALID_REQUEST(
      400,
      "The request is not valid",
      "A field, parameter or header breaks a rule; errors lists each with a JSON pointer."),
  MALFORMED_REQUEST(
      400,
      "The request cannot be read",
      "The request line, path, a header or the body's framing is not well-formed, the path is"
          + " ambiguous, or it is another version of HTTP than 1.1."),
  INVALID_PATH(
      400,
      "The path leads nowhere",
      "Something on the way is not a directory, links go round in circles, or a name has more than"
          + " 255 bytes."),
  NOT_A_FILE(
      400, "It is not a regular file", "There is a directory, a FIFO, a socket or a device."),
  NOT_A_DIRECTORY(400, "It is not a directory", "Only directories can be listed."),
  PATH_NOT_PERMITTED(
      400,
      "The sandbox's user may not do this",
      "Permissions inside the sandbox forbid it, or the file system is read-only."),
  FILE_TOO_LARGE(
      400,
      "The file is too large",
      "An upload may have 104857600 bytes, a download 1 GiB; of a file that does not know its size,"
          + " such as those in /proc, 1 MiB can be downloaded. Nothing is left of the upload."),
  UNAUTHORIZED(
      401,
      "The API key is missing or not valid",
      "Send Authorization: Bearer <api key> with a key that has not been revoked."),
  FOREIGN_ORGANIZATION(
      403,
      "It belongs to another organization",
      "The key is valid, but the resource belongs to an organization other than the key's."),
  INSUFFICIENT_SCOPE(
      403, "The API key may not do this", "The key lacks the scope that this call needs."),
  FORBIDDEN(403, "Not allowed", "The server refuses this request."),
  NOT_FOUND(404, "There is nothing at this path", "No endpoint has this path."),
  SANDBOX_NOT_FOUND(404, "There is no such sandbox", "No sandbox has this id, and none ever had."),
  TEMPLATE_NOT_FOUND(
      404,
      "There is no such template",
      "It is no template of the organization and no built-in one, and no ready node has an image of"
          + " that reference."),
  BUILD_LOG_NOT_FOUND(
      404,
      "There is no build log",
      "The template has no Dockerfile, or no node has begun to build."),
  EXECUTION_NOT_FOUND(
      404, "There is no such execution", "The sandbox's history has no command of this id."),
  FILE_NOT_FOUND(404, "There is no such file", "The sandbox has nothing at this path."),
  COMMAND_NOT_FOUND(
      404, "There is no such command", "No command has this id, or it is older than a day."),
  ORGANIZATION_NOT_FOUND(404, "There is no such organization", "No organization has this id."),
  KEY_NOT_FOUND(404, "There is no such API key", "The organization has no key of this id."),
  WEBHOOK_NOT_FOUND(404, "There is no such webhook", "The organization has no webhook of this id."),
  DELIVERY_NOT_FOUND(
      404,
      "There is no such delivery",
      "The webhook has no delivery of this id, or it was over 30 days ago."),
  METHOD_NOT_ALLOWED(405, "The method is not allowed here", "Allow lists the methods that are."),
  NOT_ACCEPTABLE(406, "No acceptable representation", "Nothing that Accept names can be produced."),
  REQUEST_TIMEOUT(408, "The request took too long to arrive", "Send it again."),
  NOT_RUNNING(409, "The sandbox is not running", "This call needs a running sandbox."),
  NOT_EPHEMERAL(
      409, "The sandbox is not ephemeral", "Only ephemeral sandboxes have an end to put off."),
  NOT_PERSISTENT(409, "The sandbox is not persistent", "Only persistent sandboxes can rest."),
  CANNOT_WAKE(409, "The sandbox cannot be woken", "It is not persistent, or it has ended."),
  EXECUTION_IN_FLIGHT(
      409, "Something runs in the sandbox", "It cannot rest while an execution is in flight."),
  NOT_DETACHED(
      409,
      "The execution is not detached",
      "Only what was begun with detach goes on without its caller: it alone can be followed and"
          + " killed by others."),
  SANDBOX_ENDED(
      409,
      "The sandbox has ended meanwhile",
      "It was destroyed, or its time ran out, under this call. The command may have run, wholly or in"
          + " part; no exit code is ever made up."),
  EXECUTION_IN_DOUBT(
      409,
      "The first execution with this key is in doubt",
      "It is still at work, or its answer was lost. It is never run twice: the sandbox's events"
          + " tell what became of it."),
  REQUEST_IN_DOUBT(
      409,
      "The first request with this key is in doubt",
      "It is still at work, or its answer was lost; it may have had its effect."),
  TEMPLATE_EXISTS(
      409, "The name is taken", "Templates don't change: delete it first, or choose another name."),
  TEMPLATE_BUILT_IN(409, "The template is built in", "Built-in templates can't be deleted."),
  TEMPLATE_NOT_READY(
      409, "The template is not ready", "No ready node has its image; the template tells why."),
  FILE_SYSTEM_REFUSED(
      409, "The sandbox's file system refused it", "The detail is its word. Nothing has changed."),
  WEBHOOK_DISABLED(409, "The webhook is disabled", "Enable it first."),
  DELIVERY_WAITS(
      409,
      "The delivery waits for another one",
      "Each sandbox's events are delivered in order: an earlier one is pending."),
  TOO_MANY_WEBHOOKS(
      409, "The organization has as many webhooks as it may", "Delete one that is not needed."),
  CONFLICT(409, "The state does not allow it", "The detail says why."),
  OUTPUT_GONE(
      410,
      "The output is not kept any more",
      "A sandbox keeps the output of the 16 detached executions that ended last, until it ends or"
          + " its processes are stopped. The execution's record stays."),
  LENGTH_REQUIRED(411, "A Content-Length is required", "Send one."),
  PAYLOAD_TOO_LARGE(
      413,
      "The body is too large",
      "A JSON body may have up to 512 KiB, that of an execute up to 2 MiB."),
  URI_TOO_LONG(414, "The path is too long", "Shorten it."),
  UNSUPPORTED_MEDIA_TYPE(
      415, "The body's media type is not supported", "Send application/json, not compressed."),
  IDEMPOTENCY_CONFLICT(
      422,
      "The idempotency key was used for another request",
      "The same Idempotency-Key came with another method, path or body. Use a new key."),
  TOO_MANY_REQUESTS(429, "Too many requests", "Wait as long as Retry-After says."),
  QUOTA_EXCEEDED(
      429,
      "The organization's quota is used up",
      "It has as many live sandboxes, CPUs, or as much memory as it may have. Destroy a sandbox, or"
          + " have the quota raised."),
  HEADERS_TOO_LARGE(431, "The headers are too large", "Shorten them."),
  BAD_REQUEST(400, "The request was refused", "The detail says why."),
  INTERNAL_ERROR(
      500, "Something broke", "It is logged under the request id. The request may be tried again."),
  EXECUTION_OUTCOME_UNKNOWN(
      502,
      "The execution's outcome is not known",
      "The command may have run. No exit code is ever made up; the sandbox's events tell what is"
          + " known."),
  LOG_UNAVAILABLE(
      503,
      "The log is out of reach",
      "Kafka did not take the command. Try again, with the same" + " Idempotency-Key."),
  DATABASE_UNAVAILABLE(503, "The database is out of reach", "Try again later."),
  NO_CAPACITY(503, "No node has room", "Try again when sandboxes have ended, or add a node."),
  NODE_UNAVAILABLE(503, "The sandbox's node is out of reach", "Try again later."),
  WAKE_FAILED(
      503,
      "The sandbox did not wake up",
      "It was asked to, for this call, and did not come up in time, or could not. Nothing has begun"
          + " in it. Try again; the sandbox and its events tell more."),
  NOT_READY(503, "Not ready", "The detail says what is missing."),
  NO_SPACE(
      507, "The sandbox's disk is full", "There is no room for the file; nothing is left of it.");

  private final int status;
  private final String title;
  private final String description;

  ProblemType(int status, String title, String description) {
    this.status = status;
    this.title = title;
    this.description = description;
  }

  public int status() {
    return status;
  }

  /** The same for every problem of this type. */
  public String title() {
    return title;
  }

  /** For the type's page. */
  public String description() {
    return description;
  }

  /** For programs. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** As in the type's address. */
  public String slug() {
    return code().replace('_', '-');
  }

  public static Optional<ProblemType> ofCode(String code) {
    return Stream.of(values()).filter(type -> type.code().equals(code)).findFirst();
  }

  public static Optional<ProblemType> ofSlug(String slug) {
    return Stream.of(values()).filter(type -> type.slug().equals(slug)).findFirst();
  }

  /** For statuses that come from below, without a type of ours. */
  static ProblemType ofStatus(int status) {
    return switch (status) {
      // 501 and 505 are how Jetty refuses an unknown coding or version of HTTP: the client's
      // mistake.
      case 400, 501, 505 -> MALFORMED_REQUEST;
      case 401 -> UNAUTHORIZED;
      case 403 -> FORBIDDEN;
      case 404 -> NOT_FOUND;
      case 409 -> CONFLICT;
      case 503 -> NOT_READY;
      default ->
          Stream.of(values())
              .filter(type -> type.status == status)
              .findFirst()
              .orElse(status < 500 ? BAD_REQUEST : INTERNAL_ERROR);
    };
  }
}
