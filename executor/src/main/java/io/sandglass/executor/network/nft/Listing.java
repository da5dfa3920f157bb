package io.sandglass.executor.network.nft;

import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.Reach;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The table as {@code nft list table} shows it.
 *
 * @param rules all but the elements of the sets that change
 * @param reaches what those sets say
 */
record Listing(String rules, Map<Ipv4, Reach> reaches) {
  private static final Pattern ELEMENTS =
      Pattern.compile(
          "set ("
              + String.join("|", Ruleset.ALLOWED, Ruleset.LIMITED, Ruleset.PORTS)
              + ") \\{([^{}]*?)\\s*elements = \\{([^}]*)\\}");

  static Listing parse(String text) {
    Map<Ipv4, List<Range>> networks = new TreeMap<>();
    Map<Ipv4, List<Range>> ports = new TreeMap<>();
    StringBuilder rules = new StringBuilder();
    Matcher matcher = ELEMENTS.matcher(text);
    while (matcher.find()) {
      for (String element : matcher.group(3).split(",", -1)) {
        String[] parts = element.strip().split(" \\. ", -1);
        switch (matcher.group(1)) {
          case Ruleset.ALLOWED -> add(networks, parts[0], addresses(parts[1]));
          case Ruleset.PORTS -> add(ports, parts[0], numbers(parts[1]));
          case Ruleset.LIMITED -> ports.computeIfAbsent(Ipv4.parse(parts[0]), _ -> list());
          default -> throw new IllegalArgumentException("unknown set " + matcher.group(1));
        }
      }
      matcher.appendReplacement(rules, "set $1 {$2");
    }
    matcher.appendTail(rules);
    Map<Ipv4, Reach> reaches = new TreeMap<>();
    networks.forEach(
        (address, open) ->
            reaches.put(
                address,
                new Reach(
                    new Ranges(open), Optional.ofNullable(ports.get(address)).map(Ranges::new))));
    return new Listing(rules.toString(), reaches);
  }

  private static List<Range> list() {
    return new ArrayList<>();
  }

  private static void add(Map<Ipv4, List<Range>> map, String address, Range range) {
    map.computeIfAbsent(Ipv4.parse(address), _ -> list()).add(range);
  }

  private static Range addresses(String text) {
    int dash = text.indexOf('-');
    return dash < 0
        ? Range.network(text)
        : new Range(
            Ipv4.parse(text.substring(0, dash)).bits(),
            Ipv4.parse(text.substring(dash + 1)).bits());
  }

  private static Range numbers(String text) {
    int dash = text.indexOf('-');
    return dash < 0
        ? Range.of(Long.parseLong(text))
        : new Range(
            Long.parseLong(text.substring(0, dash)), Long.parseLong(text.substring(dash + 1)));
  }
}
