package io.sandglass.engine;

import io.sandglass.engine.replay.Log;
import io.sandglass.engine.replay.LogVerification;
import io.sandglass.schemas.Topic;
import me.tongfei.progressbar.ProgressBar;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code verify}: folds the whole log, and compares it with the engine's stores. */
final class Verify extends Tool {
  Verify(Console console) {
    super(console, "verify", "Folds the whole log and compares it with the engine's stores");
  }

  @Override
  int run(EngineConfiguration configuration, Namespace arguments, Log log, Findings findings) {
    LogVerification.Extent extent;
    try (ProgressBar bar = console().progress("verify", log.size(Topic.EVENTS.topicName()))) {
      extent =
          new LogVerification(log, configuration.getKafka().applicationId(), findings, bar::step)
              .run();
    }
    console()
        .err()
        .printf(
            "verify: %d events of %d sandboxes; %d differences%n",
            extent.events(), extent.sandboxes(), findings.count());
    return findings.exitCode();
  }
}
