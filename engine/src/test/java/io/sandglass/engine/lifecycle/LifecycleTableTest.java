package io.sandglass.engine.lifecycle;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Cells.Example;
import io.sandglass.engine.lifecycle.Cells.Row;
import io.sandglass.engine.lifecycle.Transitions.Transition;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Says every command in every stage, and compares what happens with what {@code docs/lifecycle.md}
 * tells. After a deliberate change, {@code mvn -pl engine -am test -Dtest=LifecycleTableTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dsandglass.docs.record=true} writes it anew.
 */
class LifecycleTableTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "lifecycle.md");
  private static final String BEGIN = "<!-- From here on written by LifecycleTableTest. -->\n";

  @Test
  void theDocumentTellsWhatHappens() throws Exception {
    String document = Files.readString(DOCUMENT);
    String prose = document.substring(0, document.indexOf(BEGIN) + BEGIN.length());
    String current = prose + "\n" + diagram() + tables();
    if (Boolean.getBoolean("sandglass.docs.record")) {
      Files.writeString(DOCUMENT, current);
      return;
    }
    assertThat(document).as("docs/lifecycle.md; see the javadoc of this test").isEqualTo(current);
  }

  @Test
  void everyDeclaredTransitionIsTakenAndNoOther() {
    Set<Transition> taken = new HashSet<>();
    everyCell(
        (example, decision) -> taken.addAll(Cells.transitions(example.life().state(), decision)));
    assertThat(taken).containsExactlyInAnyOrderElementsOf(Transitions.DECLARED);
  }

  @Test
  void everyStageEveryCommandAndEveryDeadlineIsExercised() {
    Set<Class<?>> states = new HashSet<>();
    Set<Class<?>> commands = new HashSet<>();
    Set<Deadline.Kind> fired = EnumSet.noneOf(Deadline.Kind.class);
    for (Example example : Cells.EXAMPLES) {
      states.add(
          example.life().state() instanceof Sandbox.Live live
              ? live.stage().getClass()
              : example.life().state().getClass());
      for (Row row : allRows()) {
        Command command = row.command().apply(example);
        commands.add(command.getClass());
        if (command instanceof Command.Elapse(Deadline deadline)
            && Cells.decide(example, row) instanceof Decision.Accepted) {
          fired.add(deadline.kind());
        }
      }
    }
    assertThat(states)
        .containsAll(leaves(Stage.class))
        .contains(Sandbox.Absent.class, Sandbox.Ended.class);
    assertThat(commands).containsExactlyInAnyOrderElementsOf(leaves(Command.class));
    assertThat(fired).containsExactly(Deadline.Kind.values());
  }

  @Test
  void everyFactEveryEndAndEveryRejectionComesAbout() {
    Set<Class<?>> facts = new HashSet<>();
    Set<Rejection> rejections = EnumSet.noneOf(Rejection.class);
    Set<EndReason> ends = EnumSet.noneOf(EndReason.class);
    Set<SuspendReason> sleeps = EnumSet.noneOf(SuspendReason.class);
    everyCell(
        (_, decision) -> {
          switch (decision) {
            case Decision.Accepted(List<Event> events) ->
                events.forEach(
                    event -> {
                      facts.add(event.fact().getClass());
                      switch (event.fact()) {
                        case Fact.StopRequested stop -> ends.add(stop.reason());
                        case Fact.SandboxEnded end -> ends.add(end.reason());
                        case Fact.SuspendRequested suspend -> sleeps.add(suspend.reason());
                        case Fact.SandboxSuspended asleep -> sleeps.add(asleep.reason());
                        default -> {}
                      }
                    });
            case Decision.Rejected(Rejection code, String sentence) -> {
              rejections.add(code);
              assertThat(sentence).matches("Expected .+, but .+");
            }
            case Decision.Ignored _, Decision.Disowned _ -> {}
          }
        });
    assertThat(facts).containsExactlyInAnyOrderElementsOf(leaves(Fact.class));
    assertThat(rejections).containsExactly(Rejection.values());
    assertThat(ends).containsExactly(EndReason.values());
    assertThat(sleeps).containsExactly(SuspendReason.values());
  }

  private interface Cell {
    void visit(Example example, Decision decision);
  }

  private static void everyCell(Cell cell) {
    for (Example example : Cells.EXAMPLES) {
      for (Row row : allRows()) {
        cell.visit(example, Cells.decide(example, row));
      }
    }
  }

  private static List<Row> allRows() {
    return Cells.tables().values().stream().flatMap(List::stream).toList();
  }

  private static List<Class<?>> leaves(Class<?> sealed) {
    return sealed.isSealed()
        ? Arrays.stream(sealed.getPermittedSubclasses())
            .<Class<?>>flatMap(each -> leaves(each).stream())
            .toList()
        : List.of(sealed);
  }

  private static String diagram() {
    Map<String, List<String>> facts = new LinkedHashMap<>();
    for (Transition taken : Transitions.DECLARED) {
      if (!taken.from().equals(taken.to())) {
        String from = taken.from().equals("Absent") ? "[*]" : taken.from();
        facts
            .computeIfAbsent(from + " --> " + taken.to(), _ -> new ArrayList<>())
            .add(taken.fact());
      }
    }
    StringBuilder diagram = new StringBuilder("## Diagram\n\n```mermaid\nstateDiagram-v2\n");
    facts.forEach(
        (edge, names) -> diagram.append("    %s: %s\n".formatted(edge, String.join(", ", names))));
    diagram.append("    Ended --> [*]\n```\n\nWithout a change of stage:\n\n");
    Map<String, List<Transition>> loops =
        Transitions.DECLARED.stream()
            .filter(taken -> taken.from().equals(taken.to()))
            .collect(groupingBy(Transition::fact, TreeMap::new, toList()));
    loops.forEach(
        (fact, stages) ->
            diagram.append(
                "- `%s` while %s\n"
                    .formatted(
                        fact, stages.stream().map(Transition::from).collect(joining(", ")))));
    return diagram.append("\n").toString();
  }

  private static String tables() {
    StringBuilder text = new StringBuilder("## What happens, stage by stage\n\n");
    text.append(LEGEND);
    List<String> columns = Cells.EXAMPLES.stream().map(Example::column).distinct().toList();
    Map<String, List<String>> told = new HashMap<>();
    Cells.tables()
        .forEach(
            (title, rows) -> {
              text.append("\n### ").append(title).append("\n\n");
              text.append("| | ").append(String.join(" | ", columns)).append(" |\n");
              text.append("| --- ".repeat(columns.size() + 1)).append("|\n");
              Map<List<String>, List<String>> merged = new LinkedHashMap<>();
              List<String> asBefore = new ArrayList<>();
              for (Row row : rows) {
                List<String> cells = columns.stream().map(column -> cell(column, row)).toList();
                if (cells.equals(told.putIfAbsent(row.words(), cells))) {
                  asBefore.add(row.words());
                } else {
                  merged.computeIfAbsent(cells, _ -> new ArrayList<>()).add(row.words());
                }
              }
              merged.forEach(
                  (cells, words) ->
                      text.append(
                          "| **%s** | %s |\n"
                              .formatted(String.join("; ", words), String.join(" | ", cells))));
              if (!asBefore.isEmpty()) {
                text.append("\nAs above: %s.\n".formatted(String.join("; ", asBefore)));
              }
            });
    return text.toString();
  }

  private static final String LEGEND =
      """
      A cell names the facts that are written. `✓` is accepted, as it already is so; `✗` is rejected, with the code
      that the client gets; `–` is ignored; `remove` tells the node to remove the container.
      """;

  /**
   * One answer if all examples of the stage give it, else each with what sets its examples apart.
   */
  private static String cell(String column, Row row) {
    Map<String, List<Example>> answers = new LinkedHashMap<>();
    List<Example> examples =
        Cells.EXAMPLES.stream().filter(example -> example.column().equals(column)).toList();
    for (Example example : examples) {
      answers
          .computeIfAbsent(answer(Cells.decide(example, row)), _ -> new ArrayList<>())
          .add(example);
    }
    if (answers.size() == 1) {
      return answers.keySet().iterator().next();
    }
    return answers.entrySet().stream()
        .map(entry -> label(entry.getValue(), examples) + ": " + entry.getKey())
        .collect(joining("<br>"));
  }

  /** The fewest words that tell {@code some} from the rest of {@code all}. */
  private static String label(List<Example> some, List<Example> all) {
    Function<Example, String> words =
        Stream.<Function<Example, String>>of(
                Example::mode,
                Example::detail,
                Example::work,
                example -> example.mode() + " " + example.work())
            .filter(each -> tells(each, some, all))
            .findFirst()
            .orElse(example -> example.detail() + " " + example.work());
    return some.stream().map(words).distinct().collect(joining(" or "));
  }

  private static boolean tells(
      Function<Example, String> words, List<Example> some, List<Example> all) {
    Set<String> ours = some.stream().map(words).collect(toSet());
    return all.stream()
        .filter(example -> !some.contains(example))
        .map(words)
        .noneMatch(ours::contains);
  }

  private static String answer(Decision decision) {
    return switch (decision) {
      case Decision.Accepted(List<Event> events) when events.isEmpty() -> "✓";
      case Decision.Accepted(List<Event> events) ->
          events.stream().map(Event::fact).map(LifecycleTableTest::words).collect(joining(", "));
      case Decision.Rejected(Rejection code, String _) -> "✗ " + lower(code);
      case Decision.Ignored _ -> "–";
      case Decision.Disowned _ -> "remove";
    };
  }

  private static String words(Fact fact) {
    String name = "`" + fact.getClass().getSimpleName() + "`";
    return switch (fact) {
      case Fact.StopRequested stop ->
          name + " (" + lower(stop.reason()) + again(stop.attempt()) + ")";
      case Fact.SandboxEnded end -> name + " (" + lower(end.reason()) + ")";
      case Fact.SuspendRequested suspend ->
          "%s (%s, %s%s)"
              .formatted(
                  name, lower(suspend.depth()), lower(suspend.reason()), again(suspend.attempt()));
      case Fact.SandboxSuspended asleep ->
          "%s (%s, %s)".formatted(name, lower(asleep.depth()), lower(asleep.reason()));
      case Fact.ResumeRequested resume ->
          "%s (from %s%s)".formatted(name, lower(resume.depth()), again(resume.attempt()));
      case Fact.PlacementChanged moved -> name + " (incarnation " + moved.incarnation() + ")";
      case Fact.SandboxRequested _,
          Fact.SandboxStarted _,
          Fact.SuspendFailed _,
          Fact.SandboxResumed _,
          Fact.ResumeFailed _,
          Fact.ActivityRecorded _,
          Fact.TimeoutExtended _,
          Fact.EgressChanged _,
          Fact.ExecutionStarted _,
          Fact.ExecutionFinished _,
          Fact.RequestRefused _ ->
          name;
    };
  }

  private static String again(int attempt) {
    return attempt > 1 ? ", attempt " + attempt : "";
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
