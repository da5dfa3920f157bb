package io.sandglass.engine;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import io.dropwizard.core.cli.ConfiguredCommand;
import io.dropwizard.core.setup.Bootstrap;
import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.replay.Log;
import java.io.IOException;
import java.io.PrintStream;
import java.util.function.Consumer;
import net.sourceforge.argparse4j.inf.Argument;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.apache.kafka.common.KafkaException;
import org.slf4j.LoggerFactory;

/**
 * A command that reads the log: what it finds goes to standard output, and its exit code counts.
 */
abstract class Tool extends ConfiguredCommand<EngineConfiguration> {
  private final Console console;

  Tool(Console console, String name, String description) {
    super(name, description);
    this.console = console;
  }

  /** Returns the exit code. */
  abstract int run(
      EngineConfiguration configuration, Namespace arguments, Log log, Findings findings)
      throws IOException;

  @Override
  protected Argument addFileArgument(Subparser subparser) {
    return super.addFileArgument(subparser).setDefault(EngineApplication.OWN_CONFIGURATION);
  }

  @Override
  protected final void run(
      Bootstrap<EngineConfiguration> bootstrap,
      Namespace arguments,
      EngineConfiguration configuration) {
    // Standard output is for what was asked for; what goes wrong is told below.
    LoggerContext logging = (LoggerContext) LoggerFactory.getILoggerFactory();
    logging.reset();
    logging.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
    console.exit().accept(run(arguments, configuration));
  }

  private int run(Namespace arguments, EngineConfiguration configuration) {
    try (Log log = new Log(configuration.getKafka().settings())) {
      return run(configuration, arguments, log, new Findings(console.out()));
    } catch (KafkaException | IOException | IllegalStateException e) {
      console.err().println(getName() + " can't run: " + e.getMessage());
      return Console.CANNOT_RUN;
    }
  }

  Console console() {
    return console;
  }

  /** Tells and counts what is found. */
  static final class Findings implements Consumer<Finding> {
    private final PrintStream out;
    private long count;

    Findings(PrintStream out) {
      this.out = out;
    }

    @Override
    public void accept(Finding finding) {
      count++;
      out.println(finding);
    }

    long count() {
      return count;
    }

    int exitCode() {
      return count == 0 ? Console.OK : Console.DIFFERENCES;
    }
  }
}
