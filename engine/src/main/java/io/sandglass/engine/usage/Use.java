package io.sandglass.engine.usage;

import io.sandglass.engine.lifecycle.Depth;

/** What is charged for, by what it costs to provide. */
public enum Use {
  /** Awake: processor and memory. */
  RUNNING,
  /** Asleep, its memory kept. */
  FROZEN,
  /** Asleep, its files kept. */
  STOPPED;

  static Use asleep(Depth depth) {
    return switch (depth) {
      case FROZEN -> FROZEN;
      case STOPPED -> STOPPED;
    };
  }
}
