package io.sandglass.engine;

import io.sandglass.engine.audit.PublicKeys;
import io.sandglass.engine.audit.SigningKey;
import io.sandglass.engine.replay.Log;
import io.sandglass.engine.replay.LogAudit;
import io.sandglass.schemas.Topic;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/**
 * {@code audit verify}: finds every event that was changed, removed, added or moved. {@code audit
 * key}: prints the public key, for others to verify with.
 */
final class Audit extends Tool {
  private static final String VERIFY = "verify";
  private static final String KEY = "key";

  Audit(Console console) {
    super(console, "audit", "Checks that the log is as it was written");
  }

  @Override
  public void configure(Subparser subparser) {
    subparser
        .addArgument("action")
        .choices(VERIFY, KEY)
        .help("verify the log, or print the public key of its checkpoints");
    subparser
        .addArgument("--key")
        .dest("keys")
        .action(Arguments.append())
        .metavar("FILE")
        .help("a public key to trust, in PEM; once or more; otherwise this engine's own");
    super.configure(subparser);
  }

  @Override
  int run(EngineConfiguration configuration, Namespace arguments, Log log, Findings findings)
      throws IOException {
    List<PublicKey> keys = new ArrayList<>();
    List<String> files = arguments.getList("keys");
    if (files == null) {
      keys.add(SigningKey.publicKey(configuration.getAudit().key()));
    } else {
      for (String file : files) {
        keys.add(SigningKey.publicKey(Path.of(file)));
      }
    }
    if (arguments.getString("action").equals(KEY)) {
      keys.forEach(key -> console().out().print(SigningKey.pem(key)));
      return Console.OK;
    }
    LogAudit.Extent extent;
    try (ProgressBar bar = console().progress("audit", log.size(Topic.EVENTS.topicName()))) {
      extent = new LogAudit(log, new PublicKeys(keys), findings, bar::step).run();
    }
    console()
        .err()
        .printf(
            "audit: %d events, %d checkpoints, %d events newer than the last checkpoint;"
                + " %d differences%n",
            extent.events(), extent.checkpoints(), extent.unsigned(), findings.count());
    return findings.exitCode();
  }
}
