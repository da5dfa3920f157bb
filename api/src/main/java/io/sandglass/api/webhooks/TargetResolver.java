package io.sandglass.api.webhooks;

import io.sandglass.api.domain.WebhookTargets;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.hc.client5.http.DnsResolver;

/**
 * Resolves the hosts of webhooks, and refuses those that have any address which webhooks may not
 * reach. The client connects to the addresses that were checked: there is no second resolution.
 */
public final class TargetResolver implements DnsResolver, AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final WebhookTargets targets;

  /** The system's resolver would hold on to the carrier of a virtual thread. */
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("webhook-dns-", 0).factory());

  public TargetResolver(WebhookTargets targets) {
    this.targets = targets;
  }

  /** It has an address that webhooks may not reach. */
  static final class ForbiddenTargetException extends UnknownHostException {
    private static final long serialVersionUID = 1L;

    ForbiddenTargetException() {
      super("The host has an address that webhooks may not reach.");
    }
  }

  /** What is wrong with a URL; empty when webhooks may lead there. */
  public Optional<String> flaw(String url) {
    Optional<String> flaw = targets.flaw(url);
    if (flaw.isPresent()) {
      return flaw;
    }
    try {
      var _ = resolve(URI.create(url).getHost());
      return Optional.empty();
    } catch (UnknownHostException e) {
      return Optional.of(e.getMessage());
    }
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    InetAddress[] addresses = lookUp(host);
    if (!Stream.of(addresses).allMatch(targets::allows)) {
      throw new ForbiddenTargetException();
    }
    return addresses;
  }

  private InetAddress[] lookUp(String host) throws UnknownHostException {
    Future<InetAddress[]> answer = threads.submit(() -> InetAddress.getAllByName(host));
    try {
      return answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new UnknownHostException("The host cannot be resolved.");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnknownHostException("Interrupted while the host was resolved.");
    }
  }

  @Override
  public String resolveCanonicalHostname(String host) {
    return host;
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
