package io.sandglass.api;

import io.sandglass.api.control.Accounts;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.store.AccountStore.Organization;
import java.util.List;
import java.util.Optional;

/** The first organization and its key, for an installation that has none. */
public final class Bootstrap {
  private final Accounts accounts;

  Bootstrap(Accounts accounts) {
    this.accounts = accounts;
  }

  /**
   * A key at the only moment it can be read.
   *
   * @param apiKey what clients send after {@code Bearer}
   */
  public record Credentials(String organizationId, String apiKey) {
    @Override
    public String toString() {
      return "Credentials[" + organizationId + "]";
    }
  }

  /** Makes an organization with a key for everything; empty when there is an organization. */
  public Optional<Credentials> firstOrganization(String name) {
    if (!accounts.organizations().isEmpty()) {
      return Optional.empty();
    }
    Organization organization = accounts.createOrganization(name);
    return Optional.of(newKey(organization.id(), name));
  }

  /** A further key of an organization, for an installation whose first key was lost. */
  public Credentials newKey(String organizationId, String name) {
    return new Credentials(
        organizationId,
        accounts.createKey(organizationId, name, Scope.ofOrganization(), null).token());
  }

  /** Whether requests with this key are let in. */
  public boolean works(String apiKey) {
    return accounts.authenticate(apiKey) instanceof Accounts.Entry.Granted;
  }

  /** The ids of all organizations, oldest first. */
  public List<String> organizations() {
    return accounts.organizations().stream().map(Organization::id).toList();
  }
}
