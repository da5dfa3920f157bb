package io.sandglass.executor.sandbox;

import io.sandglass.executor.sandbox.EgressPolicy.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A policy as it is kept on disk, a line each.
 *
 * @param version of the order that it came with
 */
record EgressNote(long version, EgressPolicy policy) {

  String write() {
    List<String> lines = new ArrayList<>();
    lines.add("version " + version);
    lines.add("mode " + policy.mode().name().toLowerCase(Locale.ROOT));
    policy.allowCidrs().forEach(cidr -> lines.add("allow " + cidr));
    policy.denyCidrs().forEach(cidr -> lines.add("deny " + cidr));
    policy.allowPorts().forEach(port -> lines.add("port " + port));
    return String.join("\n", lines) + "\n";
  }

  /** Empty when the text is no policy: then nothing is open. */
  static Optional<EgressNote> read(String text) {
    long version = 0;
    Optional<Mode> mode = Optional.empty();
    List<String> allow = new ArrayList<>();
    List<String> deny = new ArrayList<>();
    List<Integer> ports = new ArrayList<>();
    try {
      for (String line : text.lines().toList()) {
        String value = line.substring(line.indexOf(' ') + 1);
        switch (line.substring(0, Math.max(0, line.indexOf(' ')))) {
          case "version" -> version = Long.parseLong(value);
          case "mode" -> mode = Optional.of(Mode.valueOf(value.toUpperCase(Locale.ROOT)));
          case "allow" -> allow.add(value);
          case "deny" -> deny.add(value);
          case "port" -> ports.add(Integer.parseInt(value));
          default -> throw new IllegalArgumentException("unknown: " + line);
        }
      }
      long read = version;
      return mode.map(one -> new EgressNote(read, new EgressPolicy(one, allow, deny, ports)))
          .filter(note -> note.policy().reach() != null);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
