package io.sandglass.engine;

import io.sandglass.engine.replay.History;
import io.sandglass.engine.replay.Log;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code replay --sandbox ID}: one sandbox's life, step by step. */
final class Replay extends Tool {
  Replay(Console console) {
    super(console, "replay", "Tells one sandbox's history, and its state after every event");
  }

  @Override
  public void configure(Subparser subparser) {
    subparser.addArgument("--sandbox").required(true).metavar("ID").help("the sandbox's id");
    super.configure(subparser);
  }

  @Override
  int run(EngineConfiguration configuration, Namespace arguments, Log log, Findings findings) {
    String id = arguments.getString("sandbox");
    long events = new History(log, findings).tell(id, console().out()::println);
    if (events == 0 && findings.count() == 0) {
      console().err().println("replay can't run: no sandbox has ever had the id " + id);
      return Console.CANNOT_RUN;
    }
    return findings.exitCode();
  }
}
