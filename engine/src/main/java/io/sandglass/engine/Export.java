package io.sandglass.engine;

import io.sandglass.engine.replay.Log;
import io.sandglass.engine.replay.LogExport;
import io.sandglass.schemas.Topic;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import net.sourceforge.argparse4j.inf.Argument;
import net.sourceforge.argparse4j.inf.ArgumentParser;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.ArgumentType;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code export}: the events of an organization or a time, as NDJSON or CSV. */
final class Export extends Tool {
  Export(Console console) {
    super(console, "export", "Writes events as NDJSON or CSV");
  }

  @Override
  public void configure(Subparser subparser) {
    subparser.addArgument("--org").metavar("ID").help("only this organization's");
    subparser
        .addArgument("--from")
        .type(new Moment())
        .metavar("TIME")
        .help("only from then on, as 2026-11-01T00:00:00Z");
    subparser.addArgument("--to").type(new Moment()).metavar("TIME").help("only before then");
    subparser.addArgument("--format").choices("ndjson", "csv").setDefault("ndjson");
    subparser
        .addArgument("--output")
        .metavar("FILE")
        .help("where to write to, instead of standard output");
    super.configure(subparser);
  }

  /** A time as the API takes it. */
  private static final class Moment implements ArgumentType<Instant> {
    @Override
    public Instant convert(ArgumentParser parser, Argument argument, String value)
        throws ArgumentParserException {
      try {
        return Instant.parse(value);
      } catch (DateTimeParseException e) {
        throw new ArgumentParserException(
            "'" + value + "' is no time; write it as 2026-11-01T00:00:00Z", e, parser);
      }
    }
  }

  @Override
  int run(EngineConfiguration configuration, Namespace arguments, Log log, Findings findings)
      throws IOException {
    LogExport.Selection selection =
        new LogExport.Selection(
            Optional.ofNullable(arguments.getString("org")),
            Optional.ofNullable(arguments.get("from")),
            Optional.ofNullable(arguments.get("to")));
    LogExport.Format format =
        LogExport.Format.valueOf(arguments.getString("format").toUpperCase(Locale.ROOT));
    String file = arguments.getString("output");
    Findings unreadable = new Findings(console().err());
    long written;
    try (OutputStream out =
            new BufferedOutputStream(
                file == null ? console().out() : Files.newOutputStream(Path.of(file)));
        ProgressBar bar = console().progress("export", log.size(Topic.EVENTS.topicName()))) {
      written = new LogExport(log, unreadable, bar::step).run(selection, format, out);
    }
    console().err().printf("export: %d events%n", written);
    return unreadable.exitCode();
  }
}
