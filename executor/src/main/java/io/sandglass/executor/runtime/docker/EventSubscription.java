package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Event;
import com.github.dockerjava.api.model.EventType;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens to the Engine's events, and anew whenever the stream ends, until it is closed. */
final class EventSubscription implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(EventSubscription.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final DockerClient docker;
  private final String nodeId;
  private final Runnable hint;
  private final Thread thread;

  EventSubscription(DockerClient docker, String nodeId, Runnable hint) {
    this.docker = docker;
    this.nodeId = nodeId;
    this.hint = hint;
    this.thread = Thread.ofVirtual().name("docker-events").start(this::listen);
  }

  private void listen() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        var stream =
            new ResultCallback.Adapter<Event>() {
              @Override
              public void onNext(Event event) {
                if (concerns(event)) {
                  hint.run();
                }
              }

              @Override
              public void onError(Throwable error) {
                LOG.debug("The stream of Docker events broke: {}", error.toString());
                onComplete();
              }
            };
        try (stream) {
          docker
              .eventsCmd()
              .withEventTypeFilter(EventType.CONTAINER, EventType.IMAGE)
              .exec(stream)
              .awaitCompletion();
        } catch (IOException | RuntimeException e) {
          LOG.debug("The stream of Docker events ended: {}", e.toString());
        }
        Thread.sleep(PAUSE);
        hint.run(); // for what happened while nobody listened
      }
    } catch (InterruptedException e) {
      LOG.debug("No longer listening to Docker events");
    }
  }

  private boolean concerns(Event event) {
    if (event.getType() == EventType.IMAGE) {
      return true;
    }
    return Optional.ofNullable(event.getActor())
        .map(actor -> actor.getAttributes())
        .map(Map::copyOf)
        .map(labels -> nodeId.equals(labels.get(Labels.NODE)) && !labels.containsKey(Labels.HOLDER))
        .orElse(false);
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
