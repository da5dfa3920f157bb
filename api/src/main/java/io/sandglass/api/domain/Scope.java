package io.sandglass.api.domain;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What a key may be allowed to do. */
public enum Scope {
  /** Reading sandboxes, their files and history, templates, webhooks and commands. */
  SANDBOXES_READ("sandboxes:read"),
  /** Whatever changes or uses sandboxes, templates and webhooks. */
  SANDBOXES_WRITE("sandboxes:write"),
  /** Reading what was used. */
  USAGE_READ("usage:read"),
  /** Managing the installation: all organizations, their keys and quotas, and nodes. */
  ADMIN("admin");

  private final String text;

  Scope(String text) {
    this.text = text;
  }

  /** As keys and the API name it. */
  public String text() {
    return text;
  }

  public static Optional<Scope> parse(String text) {
    return Stream.of(values()).filter(scope -> scope.text.equals(text)).findFirst();
  }

  /** Everything within an organization: what a key has when nothing else is asked for. */
  public static Set<Scope> ofOrganization() {
    return EnumSet.complementOf(EnumSet.of(ADMIN));
  }
}
