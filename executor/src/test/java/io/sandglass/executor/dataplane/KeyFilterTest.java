package io.sandglass.executor.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jakarta.ws.rs.core.HttpHeaders;
import java.net.URI;
import java.util.List;
import org.glassfish.jersey.internal.MapPropertiesDelegate;
import org.glassfish.jersey.server.ContainerRequest;
import org.junit.jupiter.api.Test;

/** Who is let in to the data plane. */
final class KeyFilterTest {
  private static final String KEY = "the shared key";

  private final KeyFilter filter = new KeyFilter(KEY);

  private boolean lets(String path, String... authorization) {
    ContainerRequest request =
        new ContainerRequest(
            URI.create("http://node/"),
            URI.create("http://node/" + path),
            "GET",
            null,
            new MapPropertiesDelegate(),
            null);
    for (String value : authorization) {
      request.header(HttpHeaders.AUTHORIZATION, value);
    }
    filter.filter(request);
    return request.getAbortResponse() == null;
  }

  @Test
  void onlyTheKeyItselfOpens() {
    assertThat(lets("executions/x", "Bearer " + KEY)).isTrue();
    for (String sent :
        List.of(
            "",
            "Bearer",
            "Bearer ",
            KEY,
            "bearer " + KEY,
            "Basic " + KEY,
            "Bearer " + KEY + " ",
            "Bearer " + KEY.toUpperCase(java.util.Locale.ROOT),
            "Bearer " + KEY.substring(1),
            "Bearer " + KEY + KEY)) {
      assertThat(lets("executions/x", sent)).as(sent).isFalse();
    }
    assertThat(lets("executions/x")).isFalse();
    assertThat(lets("executions/x", "Bearer " + KEY, "Bearer other")).isFalse();
    assertThat(lets("healthz/../executions/x")).isFalse();
  }

  @Test
  void healthIsForAll() {
    assertThat(lets(StatusResource.LIVE)).isTrue();
    assertThat(lets(StatusResource.READY)).isTrue();
  }

  @Test
  void thereIsNoDataPlaneWithoutAKey() {
    for (String none : List.of("", " ", "\t")) {
      assertThatThrownBy(() -> new KeyFilter(none)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
