package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dropwizard.configuration.ConfigurationValidationException;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.configuration.YamlConfigurationFactory;
import io.dropwizard.core.Configuration;
import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.core.server.ServerFactory;
import io.dropwizard.core.server.SimpleServerFactory;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.jersey.validation.Validators;
import io.dropwizard.jetty.ConnectorFactory;
import io.dropwizard.jetty.HttpConnectorFactory;
import io.sandglass.api.ApiConfiguration;
import io.sandglass.engine.EngineConfiguration;
import io.sandglass.executor.ExecutorConfiguration;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.text.StringSubstitutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds when nobody says otherwise. */
final class DefaultsTest {
  private static final Map<String, String> LEAST = Map.of("SANDGLASS_DATA_PLANE_KEY", "key");

  /** A process of its own. */
  enum Role {
    API(ApiConfiguration.class, "api.yml"),
    ENGINE(EngineConfiguration.class, "engine.yml"),
    EXECUTOR(ExecutorConfiguration.class, "executor.yml");

    private final Class<? extends Configuration> type;
    private final String file;

    Role(Class<? extends Configuration> type, String file) {
      this.type = type;
      this.file = file;
    }

    Configuration read(Map<String, String> variables) throws Exception {
      StringSubstitutor substitutor =
          new StringSubstitutor(variables).setEnableSubstitutionInVariables(true);
      return new YamlConfigurationFactory<>(
              type, Validators.newValidator(), Jackson.newObjectMapper(), "dw")
          .build(
              new SubstitutingSourceProvider(
                  new ResourceConfigurationSourceProvider(), substitutor),
              file);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everythingListensOnTheLoopbackInterface(Role role) throws Exception {
    assertThat(connectors(role.read(LEAST).getServerFactory()))
        .isNotEmpty()
        .allSatisfy(
            connector ->
                assertThat(((HttpConnectorFactory) connector).getBindHost())
                    .isEqualTo("127.0.0.1"));
  }

  private static List<ConnectorFactory> connectors(ServerFactory server) {
    return server instanceof SimpleServerFactory simple
        ? List.of(simple.getConnector())
        : Stream.of((DefaultServerFactory) server)
            .flatMap(
                all ->
                    Stream.concat(
                        all.getApplicationConnectors().stream(), all.getAdminConnectors().stream()))
            .toList();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "ENGINE")
  void withoutTheDataPlanesKeyThereIsNoStart(Role role) {
    assertThatThrownBy(() -> role.read(Map.of()))
        .isInstanceOf(ConfigurationValidationException.class)
        .hasMessageContaining("dataPlaneKey");
  }

  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z_]+):-");
  private static final Pattern ROW = Pattern.compile("\\| `([A-Z_]+)` \\|.*");

  @Test
  void whoRunsItIsToldOfEveryVariable() throws Exception {
    Set<String> read = new TreeSet<>();
    for (Role role : Role.values()) {
      try (InputStream file = new ResourceConfigurationSourceProvider().open(role.file)) {
        new String(file.readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.strip().startsWith("#"))
            .flatMap(line -> VARIABLE.matcher(line).results())
            .forEach(match -> read.add(match.group(1)));
      }
    }
    try (Stream<String> lines = Files.lines(Path.of("..", "docs", "operate.md"))) {
      assertThat(lines.map(ROW::matcher).filter(Matcher::matches).map(match -> match.group(1)))
          .containsExactlyInAnyOrderElementsOf(read);
    }
  }
}
