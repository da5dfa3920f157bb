package io.sandglass.api.domain;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was asked for, and never changes but for the egress policy.
 *
 * @param timeout ephemeral: time to live; null for persistent
 * @param idleTimeout persistent: inactivity until suspend; null for ephemeral
 * @param env the variables' names and sealed values
 */
public record SandboxSpec(
    Template template,
    Mode mode,
    Size size,
    EgressPolicy egress,
    Duration timeout,
    Duration idleTimeout,
    SealedEnv env,
    Map<String, String> metadata) {

  public SandboxSpec {
    metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
  }

  public SandboxSpec withEgress(EgressPolicy policy) {
    return new SandboxSpec(template, mode, size, policy, timeout, idleTimeout, env, metadata);
  }

  public SandboxSpec withEnv(SealedEnv sealed) {
    return new SandboxSpec(template, mode, size, egress, timeout, idleTimeout, sealed, metadata);
  }

  /** The names, for those who may see no more. */
  public List<String> envNames() {
    return env.names();
  }
}
