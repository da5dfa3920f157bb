package io.sandglass.api;

import io.dropwizard.core.setup.Environment;
import io.prometheus.metrics.exporter.servlet.jakarta.PrometheusMetricsServlet;
import io.prometheus.metrics.instrumentation.dropwizard.DropwizardExports;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** What Prometheus collects: everything Dropwizard measures, and the JVM. */
final class Metrics {
  private Metrics() {}

  /** In a registry of its own: there may be several applications in one process. */
  static void serve(Environment environment) {
    PrometheusRegistry registry = new PrometheusRegistry();
    DropwizardExports.builder().dropwizardRegistry(environment.metrics()).register(registry);
    JvmMetrics.builder().register(registry);
    environment
        .servlets()
        .addServlet("metrics", new PrometheusMetricsServlet(registry))
        .addMapping("/metrics");
  }
}
