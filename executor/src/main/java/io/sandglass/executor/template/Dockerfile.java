package io.sandglass.executor.template;

import io.sandglass.executor.runtime.Recipe;
import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Stage;
import io.sandglass.executor.runtime.Recipe.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a Dockerfile for what nodes build: there is no context and nothing is fetched, so what
 * needs either is refused. Ours is the only reading: what reaches the Engine is made of the recipe,
 * so the two can't be made to differ.
 */
final class Dockerfile {
  /** What images of templates are called; they belong to their organizations. */
  private static final String OF_TEMPLATES = "sandglass-template/";

  private static final Pattern DIRECTIVE =
      Pattern.compile("#\\s*escape\\s*=\\s*(\\S*)\\s*", Pattern.CASE_INSENSITIVE);
  private static final Pattern CONTINUED = Pattern.compile("\\\\[ \\t]*\\z");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$(?:\\{([A-Za-z_][A-Za-z0-9_]*)\\}|([A-Za-z_][A-Za-z0-9_]*))");
  private static final Pattern STAGE_NAME = Pattern.compile("[a-z][a-z0-9_.-]*");
  private static final Pattern REFERENCE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}");
  private static final Pattern COPY_FLAG =
      Pattern.compile("--(from|chown|chmod)=([A-Za-z0-9._:/@-]+)");

  private final Map<String, String> arguments = new HashMap<>();
  private final List<Stage> stages = new ArrayList<>();
  private final Map<String, Integer> stageNames = new HashMap<>();
  private Optional<Source> base = Optional.empty();
  private List<Step> steps = new ArrayList<>();

  private Dockerfile() {}

  /** An instruction with its continuations, on one line. */
  private record Instruction(int line, String keyword, String rest) {}

  static Recipe read(String text) throws DockerfileException {
    Dockerfile reading = new Dockerfile();
    for (Instruction instruction : instructions(text)) {
      reading.take(instruction);
    }
    reading.endStage();
    if (reading.stages.isEmpty()) {
      throw new DockerfileException(1, "there is no FROM");
    }
    return new Recipe(reading.stages);
  }

  private static List<Instruction> instructions(String text) throws DockerfileException {
    List<Instruction> found = new ArrayList<>();
    StringBuilder pending = new StringBuilder();
    int begun = 0;
    int number = 0;
    for (String line : text.split("\r?\n", -1)) {
      number++;
      Matcher directive = DIRECTIVE.matcher(line);
      if (found.isEmpty() && directive.matches() && !directive.group(1).equals("\\")) {
        throw new DockerfileException(number, "only \\ continues a line here");
      }
      if (line.isBlank() || line.stripLeading().startsWith("#")) {
        continue; // within a continued line, too
      }
      if (pending.isEmpty()) {
        begun = number;
      }
      Matcher continued = CONTINUED.matcher(line);
      if (continued.find()) {
        pending.append(line, 0, continued.start());
      } else {
        pending.append(line);
        found.add(instruction(begun, pending.toString()));
        pending.setLength(0);
      }
    }
    if (!pending.toString().isBlank()) {
      found.add(instruction(begun, pending.toString()));
    }
    return found;
  }

  private static Instruction instruction(int line, String text) throws DockerfileException {
    if (text.strip().endsWith("\\")) {
      throw new DockerfileException(line, "a \\ at the end continues the line, with a line break");
    }
    String[] parts = text.strip().split("\\s+", 2);
    return new Instruction(
        line, parts[0].toUpperCase(Locale.ROOT), parts.length < 2 ? "" : parts[1].strip());
  }

  private void take(Instruction instruction) throws DockerfileException {
    String keyword = instruction.keyword();
    if (instruction.rest().isEmpty()) {
      throw new DockerfileException(instruction.line(), keyword + " needs arguments");
    }
    if (base.isEmpty() && !keyword.equals("FROM") && !keyword.equals("ARG")) {
      throw new DockerfileException(
          instruction.line(), keyword + " comes before FROM: name the image to start from first");
    }
    switch (keyword) {
      case "FROM" -> from(instruction);
      case "ARG" -> argument(instruction);
      case "RUN" -> run(instruction);
      case "COPY" -> copy(instruction);
      case "ENV", "WORKDIR", "USER", "SHELL" ->
          steps.add(new Step.Configure(keyword + " " + instruction.rest()));
      // A sandbox starts its own program, exposes nothing, and has labels and health of its own.
      case "CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL" -> {}
      case "ADD" ->
          throw new DockerfileException(
              instruction.line(),
              "ADD has nothing to add: there is no build context, and nothing is fetched");
      case "VOLUME" ->
          throw new DockerfileException(
              instruction.line(), "a sandbox has no volumes: make a directory with RUN mkdir");
      case "ONBUILD" ->
          throw new DockerfileException(
              instruction.line(), "ONBUILD has no use: nothing is built from a template's image");
      default ->
          throw new DockerfileException(instruction.line(), "unknown instruction " + keyword);
    }
  }

  private void from(Instruction instruction) throws DockerfileException {
    endStage();
    String[] words = instruction.rest().split("\\s+", -1);
    boolean named = words.length == 3 && words[1].equalsIgnoreCase("AS");
    if ((words.length != 1 && !named) || words[0].startsWith("--")) {
      throw new DockerfileException(
          instruction.line(), "expected FROM image, or FROM image AS name");
    }
    String from = expand(instruction, words[0]);
    Integer earlier = stageNames.get(from.toLowerCase(Locale.ROOT));
    base = Optional.of(earlier != null ? new Source.Earlier(earlier) : image(instruction, from));
    if (named) {
      String name = words[2].toLowerCase(Locale.ROOT);
      if (!STAGE_NAME.matcher(name).matches()) {
        throw new DockerfileException(instruction.line(), name + " can't be a stage's name");
      }
      stageNames.put(name, stages.size());
    }
  }

  private String expand(Instruction instruction, String word) throws DockerfileException {
    StringBuilder expanded = new StringBuilder();
    Matcher variable = VARIABLE.matcher(word);
    while (variable.find()) {
      String name = variable.group(1) != null ? variable.group(1) : variable.group(2);
      String value = arguments.get(name);
      if (value == null) {
        throw new DockerfileException(
            instruction.line(), "no ARG before the first FROM gives " + name + " a value");
      }
      variable.appendReplacement(expanded, Matcher.quoteReplacement(value));
    }
    return variable.appendTail(expanded).toString();
  }

  private static Source image(Instruction instruction, String reference)
      throws DockerfileException {
    if (!REFERENCE.matcher(reference).matches()) {
      throw new DockerfileException(instruction.line(), reference + " is no image reference");
    }
    if (reference.contains(OF_TEMPLATES)) {
      throw new DockerfileException(
          instruction.line(), "the image of a template can't be built upon");
    }
    return new Source.Image(reference);
  }

  /** Nobody gives arguments to a build: one with a default is a variable like any other. */
  private void argument(Instruction instruction) throws DockerfileException {
    String rest = instruction.rest();
    int equals = rest.indexOf('=');
    String name = equals < 0 ? rest : rest.substring(0, equals);
    if (!NAME.matcher(name).matches()) {
      throw new DockerfileException(instruction.line(), "expected ARG name or ARG name=default");
    }
    if (base.isEmpty()) {
      if (equals >= 0) {
        arguments.put(name, unquoted(expand(instruction, rest.substring(equals + 1))));
      }
    } else if (equals >= 0) {
      steps.add(new Step.Configure("ENV " + rest));
    } else if (arguments.containsKey(name)) {
      steps.add(new Step.Configure("ENV " + name + "=" + quoted(arguments.get(name))));
    }
  }

  private static String unquoted(String word) {
    boolean quoted =
        word.length() >= 2
            && (word.startsWith("\"") || word.startsWith("'"))
            && word.charAt(0) == word.charAt(word.length() - 1);
    return quoted ? word.substring(1, word.length() - 1) : word;
  }

  private static String quoted(String value) {
    return '"' + value.replaceAll("[\\\\\"$]", "\\\\$0") + '"';
  }

  private void run(Instruction instruction) throws DockerfileException {
    if (instruction.rest().startsWith("--")) {
      throw new DockerfileException(instruction.line(), "RUN takes no options here");
    }
    if (instruction.rest().startsWith("<<")) {
      throw new DockerfileException(
          instruction.line(), "RUN takes no here-document: join the commands with && and \\");
    }
    steps.add(new Step.Run(instruction.rest()));
  }

  private void copy(Instruction instruction) throws DockerfileException {
    Optional<String> from = Optional.empty();
    List<String> flags = new ArrayList<>();
    String rest = instruction.rest();
    while (rest.startsWith("--")) {
      String[] parts = rest.split("\\s+", 2);
      Matcher flag = COPY_FLAG.matcher(parts[0]);
      if (!flag.matches()) {
        throw new DockerfileException(
            instruction.line(), parts[0] + " is no option of COPY that is known here");
      }
      if (flag.group(1).equals("from")) {
        from = Optional.of(flag.group(2));
      } else {
        flags.add(parts[0]);
      }
      rest = parts.length < 2 ? "" : parts[1];
    }
    if (from.isEmpty()) {
      throw new DockerfileException(
          instruction.line(),
          "COPY has nothing to copy: there is no build context; --from takes files from a stage or"
              + " an image");
    }
    if (rest.contains("<<")) {
      throw new DockerfileException(instruction.line(), "COPY takes no here-document here");
    }
    flags.add(rest);
    steps.add(new Step.Copy(source(instruction, from.get()), String.join(" ", flags)));
  }

  private Source source(Instruction instruction, String from) throws DockerfileException {
    Integer named = stageNames.get(from.toLowerCase(Locale.ROOT));
    if (named != null && named < stages.size()) {
      return new Source.Earlier(named);
    }
    if (from.matches("[0-9]{1,4}")) {
      int stage = Integer.parseInt(from);
      if (stage >= stages.size()) {
        throw new DockerfileException(instruction.line(), "there is no stage " + from + " before");
      }
      return new Source.Earlier(stage);
    }
    return image(instruction, from);
  }

  private void endStage() {
    base.ifPresent(from -> stages.add(new Stage(from, steps)));
    base = Optional.empty();
    steps = new ArrayList<>();
  }
}
