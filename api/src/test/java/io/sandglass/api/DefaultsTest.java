package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dropwizard.configuration.ConfigurationValidationException;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.configuration.YamlConfigurationFactory;
import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.jersey.validation.Validators;
import io.dropwizard.jetty.ConnectorFactory;
import io.dropwizard.jetty.HttpConnectorFactory;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.text.StringSubstitutor;
import org.junit.jupiter.api.Test;

/** What holds when nobody says otherwise. */
final class DefaultsTest {
  private static ApiConfiguration read(Map<String, String> variables) throws Exception {
    StringSubstitutor substitutor =
        new StringSubstitutor(variables).setEnableSubstitutionInVariables(true);
    return new YamlConfigurationFactory<>(
            ApiConfiguration.class, Validators.newValidator(), Jackson.newObjectMapper(), "dw")
        .build(
            new SubstitutingSourceProvider(new ResourceConfigurationSourceProvider(), substitutor),
            "api.yml");
  }

  @Test
  void everythingListensOnTheLoopbackInterface() throws Exception {
    DefaultServerFactory server =
        (DefaultServerFactory) read(Map.of("SANDGLASS_DATA_PLANE_KEY", "key")).getServerFactory();

    assertThat(
            Stream.concat(
                    server.getApplicationConnectors().stream(),
                    server.getAdminConnectors().stream())
                .map(DefaultsTest::host))
        .containsExactly("127.0.0.1", "127.0.0.1");
  }

  private static String host(ConnectorFactory connector) {
    return ((HttpConnectorFactory) connector).getBindHost();
  }

  @Test
  void withoutTheNodesKeyThereIsNoStart() {
    assertThatThrownBy(() -> read(Map.of()))
        .isInstanceOf(ConfigurationValidationException.class)
        .hasMessageContaining("dataPlaneKey");
  }
}
