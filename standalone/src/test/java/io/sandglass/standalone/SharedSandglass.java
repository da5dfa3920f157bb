package io.sandglass.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * One running Sandglass for all classes that can share it, started with the first of them and gone
 * after the last. Every class has an organization of its own, so none sees what another left: it
 * asks for the {@link SandglassProcess} and the organization's {@link ApiClient} as parameters. A
 * class may kill and start the process, as long as it is ready again when the class ends.
 */
final class SharedSandglass implements ParameterResolver, AfterAllCallback {
  private static final Namespace NAMESPACE = Namespace.create(SharedSandglass.class);

  /** What hastens a test's waiting and leaves everything else as it is by default. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "SANDGLASS_USAGE_SETTLE", "1s",
          "SANDGLASS_WEBHOOK_ALLOW_HTTP", "true",
          "SANDGLASS_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8",
          "SANDGLASS_WEBHOOK_TIMEOUT", "1s",
          "SANDGLASS_WEBHOOK_FIRST_RETRY", "200ms",
          "SANDGLASS_WEBHOOK_LONGEST_RETRY", "1s");

  private record Running(SandglassProcess sandglass) implements AutoCloseable {
    static Running start() {
      try {
        return new Running(
            SandglassProcess.start(Files.createTempDirectory("sandglass-"), SETTINGS));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      sandglass.close();
      FileUtils.deleteDirectory(sandglass.data().toFile());
    }
  }

  private static SandglassProcess sandglass(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(Running.class, _ -> Running.start(), Running.class)
        .sandglass();
  }

  private static Store ofClass(ExtensionContext context) {
    return context.getStore(
        Namespace.create(SharedSandglass.class, context.getRequiredTestClass()));
  }

  private static ApiClient organization(ExtensionContext context) {
    ApiClient admin = sandglass(context).admin();
    return admin.clientOf(admin.organization(context.getRequiredTestClass().getSimpleName()));
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == SandglassProcess.class || type == ApiClient.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == SandglassProcess.class
        ? sandglass(context)
        : ofClass(context)
            .getOrComputeIfAbsent(ApiClient.class, _ -> organization(context), ApiClient.class);
  }

  /** What a class leaves would take from the node what the next one needs. */
  @Override
  public void afterAll(ExtensionContext context) {
    ApiClient api = ofClass(context).get(ApiClient.class, ApiClient.class);
    if (api != null) {
      for (JsonNode left :
          api.get("/v1/sandboxes?limit=1000").expect(200).body().get("sandboxes")) {
        api.delete("/v1/sandboxes/" + left.get("id").asText());
      }
    }
  }
}
