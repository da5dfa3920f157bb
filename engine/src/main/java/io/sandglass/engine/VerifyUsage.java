package io.sandglass.engine;

import io.sandglass.engine.replay.Log;
import io.sandglass.engine.replay.UsageVerification;
import io.sandglass.schemas.Topic;
import me.tongfei.progressbar.ProgressBar;
import net.sourceforge.argparse4j.inf.Namespace;

/** {@code verify-usage}: folds the whole log, and compares it with what was told of usage. */
final class VerifyUsage extends Tool {
  VerifyUsage(Console console) {
    super(console, "verify-usage", "Folds the whole log and compares it with sandbox.usage");
  }

  @Override
  int run(EngineConfiguration configuration, Namespace arguments, Log log, Findings findings) {
    UsageVerification.Extent extent;
    long size = log.size(Topic.EVENTS.topicName()) + log.size(Topic.USAGE.topicName());
    try (ProgressBar bar = console().progress("verify-usage", size)) {
      extent = new UsageVerification(log, findings, bar::step).run();
    }
    console()
        .err()
        .printf(
            "verify-usage: %d intervals of %d events, complete through %s; %d differences%n",
            extent.intervals(), extent.events(), extent.completeThrough(), findings.count());
    return findings.exitCode();
  }
}
