package io.sandglass.api.resources;

import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Status;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.store.SandboxStore;
import jakarta.ws.rs.core.MultivaluedMap;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The parameters of lists. */
final class ListQuery {
  private static final int DEFAULT_LIMIT = 100;
  private static final int HIGHEST_LIMIT = 1_000;
  private static final String METADATA = "metadata.";
  private static final Set<String> KNOWN = Set.of("status", "template", "limit", "cursor");
  private static final Pattern CURSOR = Pattern.compile("([0-9]{1,15}) (sbx_[0-9a-z]{16,40})");
  private static final Set<Status> OF_SANDBOXES =
      Set.of(Status.CREATING, Status.RUNNING, Status.SUSPENDED, Status.DESTROYED);

  private ListQuery() {}

  static SandboxStore.Listing parse(
      String orgId,
      List<String> statuses,
      String template,
      String limit,
      String cursor,
      MultivaluedMap<String, String> parameters) {
    Violations violations = new Violations();
    Set<Status> wanted = EnumSet.noneOf(Status.class);
    for (String text : statuses) {
      Optional<Status> status = Status.parse(text).filter(OF_SANDBOXES::contains);
      if (status.isEmpty()) {
        violations.add("status", "Expected creating, running, suspended or destroyed.");
      }
      status.ifPresent(wanted::add);
    }
    if (statuses.isEmpty()) {
      wanted.addAll(OF_SANDBOXES);
      wanted.remove(Status.DESTROYED);
    }
    if (template != null && !Checks.clean(template)) {
      violations.add("template", "Expected text without NUL.");
    }
    Map<String, String> metadata = new HashMap<>();
    parameters.forEach(
        (name, values) -> {
          if (name.startsWith(METADATA) && values.size() == 1) {
            metadata.put(name.substring(METADATA.length()), values.getFirst());
          } else if (name.startsWith(METADATA)) {
            violations.add(name, "Expected it once.");
          } else if (!KNOWN.contains(name)) {
            violations.add(name, "There is no such parameter.");
          }
        });
    violations.throwIfAny();
    return new SandboxStore.Listing(
        orgId, wanted, metadata, template, position(cursor), limit(limit));
  }

  static int limit(String text) {
    return text == null ? DEFAULT_LIMIT : (int) number("limit", text, 1, HIGHEST_LIMIT);
  }

  static long number(String name, String text, long lowest, long highest) {
    if (text.matches("[0-9]{1,18}")) {
      long number = Long.parseLong(text);
      if (number >= lowest && number <= highest) {
        return number;
      }
    }
    throw ProblemException.invalid(
        name,
        highest == Long.MAX_VALUE
            ? "Expected a whole number from " + lowest + "."
            : "Expected a whole number from " + lowest + " to " + highest + ".");
  }

  /** Where the page after this sandbox begins. Clients are not to look inside. */
  static String cursor(Sandbox last) {
    String position = last.times().createdAt().toEpochMilli() + " " + last.id();
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(position.getBytes(StandardCharsets.US_ASCII));
  }

  private static SandboxStore.Position position(String cursor) {
    if (cursor == null) {
      return null;
    }
    try {
      Matcher parts =
          CURSOR.matcher(
              new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII));
      if (parts.matches()) {
        return new SandboxStore.Position(
            Instant.ofEpochMilli(Long.parseLong(parts.group(1))), parts.group(2));
      }
    } catch (IllegalArgumentException e) {
      // Not base64: as wrong as any other.
    }
    throw ProblemException.invalid("cursor", "Expected the next_cursor of another page.");
  }
}
