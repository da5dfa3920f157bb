package io.sandglass.executor.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.executor.runtime.Recipe;
import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Stage;
import io.sandglass.executor.runtime.Recipe.Step;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DockerfileTest {
  private static final Source BASE = new Source.Image("base:1");

  private static List<Step> steps(String text) throws DockerfileException {
    return Dockerfile.read("FROM base:1\n" + text).stages().getFirst().steps();
  }

  @Test
  void whatConfiguresStaysAsItIsAndWhatRunsIsACommand() throws DockerfileException {
    assertThat(
            steps(
                """
                # A comment.
                env A="x y" B=$A
                WORKDIR /w
                User nobody
                SHELL ["/bin/bash", "-c"]
                RUN apt-get update \\
                # within
                  && echo "done # not a comment"

                RUN ["echo", "words"]
                """))
        .containsExactly(
            new Step.Configure("ENV A=\"x y\" B=$A"),
            new Step.Configure("WORKDIR /w"),
            new Step.Configure("USER nobody"),
            new Step.Configure("SHELL [\"/bin/bash\", \"-c\"]"),
            new Step.Run("apt-get update   && echo \"done # not a comment\""),
            new Step.Run("[\"echo\", \"words\"]"));
  }

  @Test
  void whatHasNoMeaningForASandboxIsLeftOut() throws DockerfileException {
    assertThat(
            steps(
                """
                CMD ["x"]
                ENTRYPOINT x
                EXPOSE 80
                LABEL io.sandglass.sandbox=sbx_of_somebody_else
                HEALTHCHECK NONE
                STOPSIGNAL SIGTERM
                """))
        .isEmpty();
  }

  @Test
  void stagesTakeFilesFromThoseBefore() throws DockerfileException {
    Recipe recipe =
        Dockerfile.read(
            """
            FROM base:1 AS Tools
            RUN make
            FROM tools
            FROM base:1
            COPY --from=tools --chown=1:1 /a /b /c/
            COPY --from=1 /d /e
            COPY --from=other:2 /f /g
            """);

    assertThat(recipe.stages())
        .containsExactly(
            new Stage(BASE, List.of(new Step.Run("make"))),
            new Stage(new Source.Earlier(0), List.of()),
            new Stage(
                BASE,
                List.of(
                    new Step.Copy(new Source.Earlier(0), "--chown=1:1 /a /b /c/"),
                    new Step.Copy(new Source.Earlier(1), "/d /e"),
                    new Step.Copy(new Source.Image("other:2"), "/f /g"))));
  }

  @Test
  void argumentsHaveTheirDefaults() throws DockerfileException {
    Recipe recipe =
        Dockerfile.read(
            """
            ARG NAME=base
            ARG TAG="1"
            ARG BOTH=${NAME}:$TAG
            FROM $BOTH
            ARG TAG
            ARG OWN=a\\"b
            ARG NOTHING
            """);

    assertThat(recipe.stages())
        .containsExactly(
            new Stage(
                BASE,
                List.of(
                    new Step.Configure("ENV TAG=\"1\""), new Step.Configure("ENV OWN=a\\\"b"))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          FROM base:1\\nADD http://198.51.100.1/x /x | line 2: ADD has nothing to add
          FROM base:1\\nADD x /x                     | nothing is fetched
          FROM base:1\\nCOPY x /x                    | line 2: COPY has nothing to copy: there is no build context
          FROM base:1\\nCOPY --from=0 /x /x          | there is no stage 0 before
          FROM base:1\\nCOPY --link --from=b /x /x   | --link is no option
          FROM base:1\\nCOPY --from=$X /x /x         | no option
          FROM base:1\\nCOPY --from=sandglass-template/tpl_a:tpr_b /x /x | can't be built upon
          FROM sandglass-template/tpl_a:tpr_b        | line 1: the image of a template can't be built upon
          FROM x/sandglass-template/tpl_a:tpr_b      | can't be built upon
          FROM $UNKNOWN                              | no ARG before the first FROM gives UNKNOWN a value
          FROM --platform=linux/arm64 base:1         | expected FROM image
          FROM base:1 extra                          | expected FROM image
          FROM base:1\\nRUN --mount=type=bind true   | RUN takes no options
          FROM base:1\\nRUN <<EOF                    | here-document
          FROM base:1\\nVOLUME /data                 | no volumes
          FROM base:1\\nONBUILD RUN true             | ONBUILD
          FROM base:1\\nINCLUDE x                    | line 2: unknown instruction INCLUDE
          FROM base:1\\nRUN                          | RUN needs arguments
          RUN true\\nFROM base:1                     | RUN comes before FROM
          # nothing                                  | there is no FROM
          # escape=`\\nFROM base:1                   | only \\ continues a line
          """)
  void whatCannotBeBuiltIsRefusedWithAReason(String text, String why) {
    assertThatThrownBy(() -> Dockerfile.read(text.replace("\\n", "\n")))
        .isInstanceOf(DockerfileException.class)
        .hasMessageContaining(why);
  }

  /** Else the Engine would read on where we have ended. */
  @Test
  void noInstructionEndsInABackslash() throws DockerfileException {
    assertThat(steps("ENV A=b\\")).containsExactly(new Step.Configure("ENV A=b"));
    for (String space : List.of("\u2003", "\f", "\r\r", "\u000b")) {
      assertThatThrownBy(() -> steps("ENV A=b\\" + space + "\nUSER x"))
          .isInstanceOf(DockerfileException.class);
    }
  }
}
