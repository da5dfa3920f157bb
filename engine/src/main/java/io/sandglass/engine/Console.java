package io.sandglass.engine;

import java.io.PrintStream;
import java.time.Duration;
import java.util.function.IntConsumer;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;

/**
 * What a tool talks to.
 *
 * @param out what it was asked for
 * @param err how far it is, and what is wrong
 * @param exit ends the process with a code
 */
public record Console(PrintStream out, PrintStream err, IntConsumer exit) {
  /** All is as it should be. */
  static final int OK = 0;

  /** Something is not as it should be; every difference was told. */
  static final int DIFFERENCES = 1;

  /** Nothing can be said: Kafka is out of reach, or what was asked for can't be. */
  static final int CANNOT_RUN = 2;

  /** How far a tool is, for people who look on. */
  ProgressBar progress(String task, long total) {
    return ProgressBar.builder()
        .setTaskName(task)
        .setInitialMax(total)
        .setUnit(" events", 1)
        .showSpeed()
        .setUpdateIntervalMillis((int) Duration.ofMillis(500).toMillis())
        .setConsumer(new ConsoleProgressBarConsumer(err))
        .build();
  }
}
