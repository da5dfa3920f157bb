package io.sandglass.api.resources;

import io.sandglass.api.domain.InstantText;
import io.sandglass.api.store.UsageStore;
import io.sandglass.api.store.UsageStore.GroupBy;
import jakarta.ws.rs.core.MultivaluedMap;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The parameters of usage. */
record UsageQuery(UsageStore.Query query, boolean csv) {
  private static final Instant FIRST = Instant.EPOCH;
  private static final Instant LAST = InstantText.parse("9999-12-31T23:59:59.999Z").orElseThrow();
  private static final Set<String> KNOWN = Set.of("from", "to", "group_by", "format");

  static UsageQuery parse(String orgId, MultivaluedMap<String, String> parameters) {
    Violations violations = new Violations();
    parameters.forEach(
        (name, values) -> {
          if (!KNOWN.contains(name)) {
            violations.add(name, "There is no such parameter.");
          } else if (values.size() > 1) {
            violations.add(name, "Expected it once.");
          }
        });
    Instant from = time("from", parameters, FIRST, violations);
    Instant to = time("to", parameters, LAST, violations);
    if (!from.isBefore(to)) {
      violations.add("to", "Expected a time after from.");
    }
    Set<GroupBy> groupBy = groupBy(parameters.getFirst("group_by"), violations);
    String format = parameters.getFirst("format");
    if (format != null && !format.equals("json") && !format.equals("csv")) {
      violations.add("format", "Expected json or csv.");
    }
    violations.throwIfAny();
    return new UsageQuery(new UsageStore.Query(orgId, from, to, groupBy), "csv".equals(format));
  }

  private static Instant time(
      String name,
      MultivaluedMap<String, String> parameters,
      Instant otherwise,
      Violations violations) {
    Instant time = HistoryQuery.instant(name, parameters.getFirst(name), violations);
    return time == null ? otherwise : time.isBefore(FIRST) ? FIRST : time;
  }

  private static Set<GroupBy> groupBy(String text, Violations violations) {
    Set<GroupBy> groupBy = EnumSet.noneOf(GroupBy.class);
    for (String name : text == null ? List.<String>of() : Arrays.asList(text.split(",", -1))) {
      var known =
          Arrays.stream(GroupBy.values())
              .filter(by -> by.name().toLowerCase(Locale.ROOT).equals(name))
              .findFirst();
      if (known.isEmpty() || !groupBy.add(known.get())) {
        violations.add(
            "group_by",
            "Expected some of sandbox, template, size and day, each once, as in size,day.");
        return groupBy;
      }
    }
    return groupBy;
  }

  /** The names that usage is added up by. */
  List<String> groupedBy() {
    return query.groupBy().stream().map(by -> by.name().toLowerCase(Locale.ROOT)).toList();
  }
}
