package io.sandglass.engine.lifecycle;

import java.util.HashSet;
import java.util.List;

/** Whole histories for other packages' tests. */
public final class Histories {
  private static final Walk.RoundTrip AS_IT_IS =
      new Walk.RoundTrip() {
        @Override
        public Event event(Event event, Sandbox after) {
          return event;
        }

        @Override
        public Sandbox state(Sandbox state) {
          return state;
        }
      };

  private Histories() {}

  /** All that happened to a sandbox, from its creation to its end, with faults of every kind. */
  public static List<Event> random(long seed) {
    Walk walk = new Walk(seed, AS_IT_IS, new HashSet<>());
    walk.run();
    return walk.log();
  }
}
