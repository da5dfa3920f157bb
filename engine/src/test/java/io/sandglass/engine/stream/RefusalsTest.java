package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.scenario;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.NoteRefusal;
import io.sandglass.schemas.RequestRefused;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What was refused is in the history of whom it was about, and changes nothing else. */
class RefusalsTest {
  private static final String STRANGER = "key:key_stranger";

  private static Orders.Command refusal(String id, String org, String code) {
    return new Orders.Command(
        id,
        org,
        STRANGER,
        null,
        Orders.REPLY_PARTITION,
        meta -> new NoteRefusal(meta, code, "executeCommand", "What the client was told.", 7L));
  }

  private static Orders.Command foreign(String id) {
    return refusal(id, Orders.ORG, "foreign_organization");
  }

  @Test
  void aSandboxTellsWhoTriedAndLivesOnAsItWas() {
    try (Scenario s = scenario().running("s1")) {
      int orders = s.orders("s1").size();

      s.advance(Duration.ofMinutes(1)).send(foreign("s1"));

      RequestRefused event = (RequestRefused) s.events("s1").getLast().body();
      EventMeta meta = event.getMeta();
      assertThat(meta.getVersion()).isEqualTo(3);
      assertThat(meta.getActor()).isEqualTo(STRANGER);
      assertThat(meta.getOrgId()).isEqualTo(Orders.ORG);
      assertThat(meta.getCause()).isEqualTo("command");
      assertThat(meta.getStatusAfter()).isEqualTo("running");
      assertThat(event.getCode()).isEqualTo("foreign_organization");
      assertThat(event.getOperation()).isEqualTo("executeCommand");
      assertThat(event.getSuppressed()).isEqualTo(7);
      assertThat(s.orders("s1")).hasSize(orders);
      // It expires when it would have.
      s.advance(Orders.TIMEOUT.minus(Duration.ofMinutes(1)));
      assertThat(s.status("s1")).isEqualTo(Status.DESTROYED);
    }
  }

  @Test
  void itDoesNotKeepASandboxAwake() {
    try (Scenario s = scenario().send(Orders.createPersistent("s1")).started("s1")) {
      s.advance(Orders.IDLE_TIMEOUT.minusSeconds(1)).send(foreign("s1"));
      assertThat(s.status("s1")).isEqualTo(Status.RUNNING);

      s.advance(Duration.ofSeconds(1));

      assertThat(s.status("s1")).isEqualTo(Status.SUSPENDED);
    }
  }

  @Test
  void itIsToldAlsoAfterTheEnd() {
    try (Scenario s = scenario().running("s1").destroy("s1").gone("s1")) {
      s.send(foreign("s1")).reboot().send(foreign("s1"));

      assertThat(s.events("s1").getLast().body())
          .isInstanceOfSatisfying(
              RequestRefused.class,
              event -> {
                assertThat(event.getMeta().getVersion()).isEqualTo(6);
                assertThat(event.getMeta().getStatusAfter()).isEqualTo("destroyed");
              });
      assertChained(s, "s1");
    }
  }

  @Test
  void anOrganizationHasAHistoryOfItsOwn() {
    try (Scenario s = scenario()) {
      s.send(refusal("org_b", "org_b", "quota_exceeded"))
          .reboot()
          .send(refusal("org_b", "org_b", "too_many_requests"));

      List<Rig.Sent> events = s.events("org_b");
      assertThat(events)
          .extracting(event -> ((RequestRefused) event.body()).getMeta())
          .allSatisfy(
              meta -> {
                assertThat(meta.getSandboxId()).isEqualTo("org_b");
                assertThat(meta.getOrgId()).isEqualTo("org_b");
                assertThat(meta.getStatusAfter()).isEqualTo("absent");
                assertThat(meta.getNodeId()).isEmpty();
              })
          .extracting(EventMeta::getVersion)
          .containsExactly(1L, 2L);
      assertChained(s, "org_b");
      // No sandbox may come to be under that id.
      s.send(Orders.create("org_b").from("org_b"));
      assertThat(s.events("org_b")).hasSize(2);
    }
  }

  @Test
  void nothingIsToldOfASandboxThatNeverWasOrIsNotTheirs() {
    try (Scenario s = scenario().running("s1")) {
      s.send(foreign("s2")).send(refusal("s1", "org_b", "foreign_organization"));

      assertThat(s.events("s2")).isEmpty();
      assertThat(s.events("s1")).hasSize(2);
    }
  }

  private static void assertChained(Scenario s, String id) {
    ChainHash chain = ChainHash.SANDBOX;
    for (Rig.Sent event : s.events(id)) {
      chain = chain.then(id.getBytes(UTF_8), event.value().get());
      assertThat(event.chain()).contains(chain);
    }
    assertThat(s.rig().allSandboxes().get(id).chain()).isEqualTo(chain);
  }
}
