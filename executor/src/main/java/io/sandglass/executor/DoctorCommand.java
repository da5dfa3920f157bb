package io.sandglass.executor;

import io.dropwizard.core.cli.ConfiguredCommand;
import io.dropwizard.core.setup.Bootstrap;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.Weakness;
import java.io.PrintStream;
import java.util.List;
import net.sourceforge.argparse4j.inf.Namespace;

/**
 * Says what on this host weakens the walls around sandboxes, and how to mend it; fails only when it
 * can't look.
 */
final class DoctorCommand extends ConfiguredCommand<ExecutorConfiguration> {
  static final String NAME = "doctor";

  DoctorCommand() {
    super(NAME, "Says what on this host weakens the walls around sandboxes");
  }

  @Override
  protected void run(
      Bootstrap<ExecutorConfiguration> bootstrap,
      Namespace namespace,
      ExecutorConfiguration configuration)
      throws Exception {
    try (DockerRuntime runtime = ExecutorApplication.runtime(configuration)) {
      report(runtime.examine(), System.out);
    }
  }

  private static void report(List<Weakness> weaknesses, PrintStream out) {
    if (weaknesses.isEmpty()) {
      out.println("No weakness found.");
    }
    for (Weakness weakness : weaknesses) {
      out.println("- " + weakness.what());
      out.println("  " + weakness.remedy());
    }
  }
}
