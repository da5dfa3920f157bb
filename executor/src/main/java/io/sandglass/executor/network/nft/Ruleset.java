package io.sandglass.executor.network.nft;

import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.Reach;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The table as text for {@code nft -f}: rules that never change, and three sets that say who
 * reaches what. Every packet is judged, in both directions, so a tightened policy ends what it
 * forbids and nothing else.
 *
 * @param table its name
 * @param bridge the interface that all sandboxes and nobody else are behind
 */
record Ruleset(String table, String bridge, Platform platform) {
  static final String ALLOWED = "allowed";
  static final String LIMITED = "limited";
  static final String PORTS = "ports";

  /** Before Docker's own rules, which let through what these leave. */
  private static final int PRIORITY = -10;

  /** Replaces the table, whatever is in it. */
  String establish(Map<Ipv4, Reach> all) {
    StringBuilder text = new StringBuilder();
    text.append(
        """
      add table inet %1$s
      delete table inet %1$s
      table inet %1$s {
        set never { type ipv4_addr; flags interval; %3$s }
        set resolvers { type ipv4_addr; flags interval; %4$s }
        set allowed { type ipv4_addr . ipv4_addr; flags interval; }
        set limited { type ipv4_addr; }
        set ports { type ipv4_addr . inet_service; flags interval; }

        chain refuse {
          meta l4proto tcp reject with tcp reset
          reject with icmpx admin-prohibited
        }
        chain leave {
          ip saddr . ip daddr != @allowed goto refuse
          ip saddr != @limited accept
          ip saddr . tcp dport @ports accept
          goto refuse
        }
        chain from_sandbox {
          oifname "%2$s" drop
          meta nfproto != ipv4 drop
          meta l4proto { tcp, udp } th dport 53 ip daddr @resolvers goto leave
          ip daddr @never goto refuse
          goto leave
        }
        chain close {
          meta l4proto tcp reject with tcp reset
          drop
        }
        chain enter {
          ip daddr . ip saddr != @allowed goto close
          ip daddr != @limited accept
          ip daddr . tcp sport @ports accept
          goto close
        }
        chain to_sandbox {
          meta nfproto != ipv4 drop
          ct state related ip protocol icmp accept
          ct state != established drop
          meta l4proto { tcp, udp } th sport 53 ip saddr @resolvers goto enter
          ip saddr @never goto close
          goto enter
        }
        chain forward {
          type filter hook forward priority %5$d; policy accept;
          iifname "%2$s" goto from_sandbox
          oifname "%2$s" goto to_sandbox
        }
        chain to_host {
          meta l4proto tcp reject with tcp reset
          drop
        }
        chain input {
          type filter hook input priority %5$d; policy accept;
          iifname "%2$s" goto to_host
        }
      }
      """
            .formatted(
                table,
                bridge,
                elements(platform.never()),
                elements(platform.resolvers()),
                PRIORITY));
    Map<String, List<String>> sets = new TreeMap<>();
    all.forEach(
        (address, reach) ->
            elements(address, reach)
                .forEach(
                    (set, more) -> sets.computeIfAbsent(set, _ -> new ArrayList<>()).addAll(more)));
    sets.forEach((set, more) -> text.append(statement("add", set, more)));
    return text.toString();
  }

  String list() {
    return "list table inet " + table;
  }

  String demolish() {
    return "delete table inet " + table;
  }

  /** Changes what one address reaches. */
  String change(Ipv4 address, Reach before, Reach after) {
    Map<String, List<String>> old = elements(address, before);
    Map<String, List<String>> now = elements(address, after);
    StringBuilder text = new StringBuilder();
    old.forEach((set, gone) -> text.append(statement("delete", set, without(gone, now.get(set)))));
    now.forEach((set, more) -> text.append(statement("add", set, without(more, old.get(set)))));
    return text.toString();
  }

  private static List<String> without(List<String> some, Collection<String> others) {
    return some.stream().filter(one -> !others.contains(one)).toList();
  }

  private String statement(String verb, String set, List<String> elements) {
    return elements.isEmpty()
        ? ""
        : "%s element inet %s %s { %s }%n".formatted(verb, table, set, String.join(", ", elements));
  }

  private static Map<String, List<String>> elements(Ipv4 address, Reach reach) {
    return new TreeMap<>(
        Map.of(
            ALLOWED, pairs(address, addresses(reach.networks())),
            LIMITED, reach.tcpPorts().map(_ -> List.of(address.toString())).orElse(List.of()),
            PORTS,
                reach.tcpPorts().map(ports -> pairs(address, numbers(ports))).orElse(List.of())));
  }

  private static List<String> pairs(Ipv4 address, List<String> others) {
    return others.stream().map(other -> address + " . " + other).toList();
  }

  private static String elements(Ranges networks) {
    return networks.isEmpty()
        ? ""
        : addresses(networks).stream().collect(Collectors.joining(", ", "elements = { ", " }"));
  }

  private static List<String> addresses(Ranges ranges) {
    return ranges.list().stream()
        .map(range -> text(range, new Ipv4(range.first()), new Ipv4(range.last())))
        .toList();
  }

  private static List<String> numbers(Ranges ranges) {
    return ranges.list().stream().map(range -> text(range, range.first(), range.last())).toList();
  }

  private static String text(Range range, Object first, Object last) {
    return range.first() == range.last() ? first.toString() : first + "-" + last;
  }
}
