package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.configuration.YamlConfigurationFactory;
import io.dropwizard.db.ManagedDataSource;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.jersey.validation.Validators;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import org.apache.commons.text.StringSubstitutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the server and its tools get from the database as it is configured by default. */
final class DatabaseSettingsTest {
  @Test
  void noStatementIsCutAfterTheTimeThatAConnectionHasToShowThatItIsAlive(@TempDir Path data)
      throws Exception {
    ManagedDataSource pool = configuration(data).database().build(new MetricRegistry(), "test");
    pool.start();
    try {
      for (int borrowed = 0; borrowed < 2; borrowed++) {
        try (Connection connection = pool.getConnection();
            Statement statement = connection.createStatement()) {
          assertThat(statement.getQueryTimeout()).isZero();
        }
      }
    } finally {
      pool.stop();
    }
  }

  private static ApiConfiguration configuration(Path data) throws Exception {
    Map<String, String> variables =
        Map.of("SANDGLASS_DATA_DIR", data.toString(), "SANDGLASS_DATA_PLANE_KEY", "a key");
    return new YamlConfigurationFactory<>(
            ApiConfiguration.class, Validators.newValidator(), Jackson.newObjectMapper(), "dw")
        .build(
            new SubstitutingSourceProvider(
                new ResourceConfigurationSourceProvider(),
                new StringSubstitutor(variables).setEnableSubstitutionInVariables(true)),
            "api.yml");
  }
}
