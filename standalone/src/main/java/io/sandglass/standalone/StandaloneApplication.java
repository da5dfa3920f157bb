package io.sandglass.standalone;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.sandglass.api.ApiApplication;
import io.sandglass.api.Bootstrap;
import io.sandglass.engine.EngineApplication;
import io.sandglass.executor.ExecutorApplication;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.ShutdownThread;
import org.slf4j.LoggerFactory;

/**
 * Starts everything in this JVM: broker, engine, executor, api, in this order, and stops it in the
 * opposite one.
 *
 * <p>{@code PORT} (default 8080) is where the API listens on the loopback interface, {@code DATA}
 * (default {@code var}) where everything is kept.
 */
public final class StandaloneApplication {
  private StandaloneApplication() {}

  /** Runs until the process is told to end. */
  public static void main(String[] args) {
    try {
      start(System.getenv());
    } catch (Refusal e) {
      System.err.println("sandglass: " + e.getMessage());
      System.exit(2);
    } catch (Exception e) {
      e.printStackTrace();
      System.exit(1);
    }
  }

  /** A start that can't be, with what to do about it. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }

  private static void start(Map<String, String> environment) throws Exception {
    int port = port(environment.getOrDefault("PORT", "8080"));
    Home home = Home.open(Path.of(environment.getOrDefault("DATA", "var")));
    Map<String, String> credentials = new LinkedHashMap<>(home.credentials());
    credentials.put("SANDGLASS_URL", "http://127.0.0.1:" + port);
    credentials.computeIfAbsent("SANDGLASS_ADMIN_KEY", _ -> Home.newSecret());
    int executorPort = FreePort.next();

    EmbeddedBroker broker = EmbeddedBroker.start(home.directory("kafka"));
    // For the tools that read the log beside this process.
    credentials.put("SANDGLASS_KAFKA", broker.bootstrapServers());
    Map<String, String> settings = new HashMap<>(environment);
    settings.put("SANDGLASS_KAFKA", broker.bootstrapServers());
    settings.put("SANDGLASS_ADMIN_KEY", credentials.get("SANDGLASS_ADMIN_KEY"));
    settings.put("SANDGLASS_DATA_PLANE_KEY", Home.newSecret());
    settings.put("SANDGLASS_NODE_ID", home.nodeId());
    settings.put("SANDGLASS_INSTANCE_ID", home.nodeId());
    settings.put("SANDGLASS_ADVERTISED_URL", "http://127.0.0.1:" + executorPort);
    settings.put("ADMIN_PORT", "0");
    // One node: more partitions would only be more files to open at every start.
    settings.putIfAbsent("SANDGLASS_PARTITIONS", "4");
    settings.putIfAbsent("SANDGLASS_SLOTS", "1");
    settings.putIfAbsent("SANDGLASS_WARM", "\"sandglass/python:0.1.0\": 1");

    new EngineApplication(with(settings, home, "engine", 0)).start();
    quietBroker();
    new ExecutorApplication(with(settings, home, "executor", executorPort))
        .run("server", "executor.yml");
    quietBroker();
    ApiApplication api = new ApiApplication(with(settings, home, "api", port));
    api.run();
    quietBroker();
    // Jetty stops what is registered here one after the other, the applications' servers first.
    ShutdownThread.register(
        new AbstractLifeCycle() {
          @Override
          protected void doStop() {
            broker.close();
          }
        });
    if (!api.bootstrap().works(credentials.getOrDefault("SANDGLASS_API_KEY", ""))) {
      credentials.put("SANDGLASS_API_KEY", newApiKey(api.bootstrap()));
    }
    home.writeCredentials(credentials);
  }

  /** For the first organization; of the existing one, when the file has none that works. */
  private static String newApiKey(Bootstrap bootstrap) {
    return bootstrap
        .firstOrganization("default")
        .orElseGet(() -> bootstrap.newKey(bootstrap.organizations().getFirst(), "default"))
        .apiKey();
  }

  /**
   * Each application sets up the logging of the whole JVM, and none knows that a broker is in it.
   */
  private static void quietBroker() {
    for (String name : List.of("kafka", "org.apache.kafka", "state.change.logger")) {
      ((Logger) LoggerFactory.getLogger(name)).setLevel(Level.WARN);
    }
  }

  private static Map<String, String> with(
      Map<String, String> settings, Home home, String role, int port) {
    Map<String, String> own = new HashMap<>(settings);
    own.put("PORT", Integer.toString(port));
    own.put("SANDGLASS_DATA_DIR", home.directory(role).toString());
    return own;
  }

  private static int port(String text) throws Refusal {
    int port;
    try {
      port = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new Refusal("PORT is '" + text + "'. Set it to a TCP port, for example PORT=8080.");
    }
    if (port < 1 || port > 65535) {
      throw new Refusal("PORT is " + port + ". Set it to a TCP port from 1 to 65535.");
    }
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return port;
    } catch (IOException e) {
      throw new Refusal(
          "port "
              + port
              + " is taken ("
              + e.getMessage()
              + "). Free it, or choose another with PORT.");
    }
  }
}
