package io.sandglass.api.resources;

import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.domain.InstantText;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.store.EventStore;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The parameters of histories. */
final class HistoryQuery {
  /** The types of events there are. */
  static final Set<String> TYPES =
      Stream.of(Fact.class.getPermittedSubclasses())
          .map(Class::getSimpleName)
          .collect(Collectors.toUnmodifiableSet());

  private HistoryQuery() {}

  static EventStore.Query parse(String orgId, List<String> types, String from, String to) {
    Violations violations = new Violations();
    for (String type : types) {
      if (!TYPES.contains(type)) {
        violations.add("type", "Expected the type of an event, such as SandboxStarted.");
      }
    }
    Instant first = instant("from", from, violations);
    Instant last = instant("to", to, violations);
    if (first != null && last != null && !first.isBefore(last)) {
      violations.add("to", "Expected a time after from.");
    }
    violations.throwIfAny();
    return new EventStore.Query(orgId, Set.copyOf(types), first, last);
  }

  /** Null when it was left out, or after a violation. */
  static Instant instant(String name, String text, Violations violations) {
    if (text == null) {
      return null;
    }
    return InstantText.parse(text)
        .orElseGet(
            () -> {
              violations.add(name, "Expected a time such as 2026-11-24T09:30:00Z.");
              return null;
            });
  }

  /** The start of the history when it was left out. */
  static HistoryCursor cursor(String name, String text) {
    return text == null
        ? HistoryCursor.START
        : HistoryCursor.parse(text)
            .orElseThrow(
                () -> ProblemException.invalid(name, "Expected a cursor of this history."));
  }
}
