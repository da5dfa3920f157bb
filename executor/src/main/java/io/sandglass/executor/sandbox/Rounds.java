package io.sandglass.executor.sandbox;

import io.sandglass.executor.sandbox.Preemption.PreemptedException;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again, in a thread of its own, until it is stopped. A look that fails is warned
 * of, and the next one comes all the same.
 */
final class Rounds {
  private static final Logger LOG = LoggerFactory.getLogger(Rounds.class);

  private final String name;
  private final Duration every;
  private final Consumer<Preemption> look;
  private final Preemption ending = new Preemption();

  /**
   * @param every between two looks
   * @param look is given what ends it early
   */
  Rounds(String name, Duration every, Consumer<Preemption> look) {
    this.name = name;
    this.every = every;
    this.look = look;
  }

  void start() {
    Thread.ofVirtual().name(name).start(this::go);
  }

  void stop() {
    ending.fire(Preemption.Cause.SHUTDOWN);
  }

  private void go() {
    try {
      while (true) {
        ending.pause(every);
        try {
          look.accept(ending);
        } catch (PreemptedException e) {
          throw e;
        } catch (RuntimeException e) {
          LOG.warn("The {} could not look: {}", name, e.toString());
        }
      }
    } catch (PreemptedException e) {
      LOG.debug("The {} ends", name);
    }
  }
}
