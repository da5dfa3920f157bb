package io.sandglass.executor.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every container runtime must do, real or not. */
public abstract class ContainerRuntimeContract {
  private static final Duration GRACE = Duration.ofSeconds(2);
  private static final Limits LIMITS = new Limits(1000, 128L << 20);

  private final List<Life> used = new ArrayList<>();

  protected abstract ContainerRuntime runtime();

  /** An image that is there. */
  protected abstract String image();

  /** A directory with a guest in it, as the container will see it. */
  protected abstract Path guestDirectory(Life life);

  /** Addresses of the sandboxes' bridge. */
  protected abstract Addresses addresses();

  private String address(Life life) {
    return addresses().take(life.containerName()).orElseThrow().toString();
  }

  protected final Life newLife() {
    Life life =
        new Life("sbx_" + UUID.randomUUID().toString().replace("-", "").substring(0, 26), 1);
    used.add(life);
    return life;
  }

  protected ContainerSpec spec(Life life) {
    return new ContainerSpec(
        life, "org_test", image(), LIMITS, address(life), guestDirectory(life), "token");
  }

  private Life running() {
    return running(runtime());
  }

  protected final Life running(ContainerRuntime tested) {
    Life life = newLife();
    tested.create(spec(life));
    assertThat(tested.start(life)).isEqualTo(Change.DONE);
    return life;
  }

  protected final Phase phase(Life life) {
    return runtime().find(life).orElseThrow().phase();
  }

  @AfterEach
  void removeAll() {
    for (Life life : used) {
      runtime().remove(life);
      addresses()
          .of(life.containerName())
          .ifPresent(address -> runtime().closeNetwork(address.toString()));
      addresses().release(life.containerName());
    }
  }

  @Test
  void tellsItsHost() {
    assertThat(runtime().host().cpus()).isPositive();
    assertThat(runtime().host().memoryBytes()).isPositive();
    assertThat(runtime().host().version()).isNotBlank();
  }

  @Test
  void createsWithoutStarting() {
    Life life = newLife();

    assertThat(runtime().create(spec(life))).isInstanceOf(Creation.Created.class);

    FoundContainer found = runtime().find(life).orElseThrow();
    assertThat(found.phase()).isEqualTo(Phase.CREATED);
    assertThat(found.orgId()).isEqualTo("org_test");
    assertThat(found.limits()).isEqualTo(LIMITS);
    assertThat(found.origin()).isEqualTo(life);
    assertThat(found.imageId()).isEqualTo(runtime().imageId(image()).orElseThrow());
    assertThat(found.address()).contains(spec(life).address());
    assertThat(found.exit()).isEmpty();
  }

  @Test
  void tellsWhatWasWrittenOverTheImage() {
    Life life = running();

    DiskUse use = runtime().disk(life).orElseThrow();
    assertThat(use.bytes()).isBetween(0L, 1L << 20);
    assertThat(use.files()).isBetween(0L, 100L);
    DiskUse all = runtime().storage().orElseThrow();
    assertThat(all.bytes()).isGreaterThanOrEqualTo(use.bytes());
    assertThat(all.files()).isGreaterThanOrEqualTo(use.files());

    runtime().remove(life);
    assertThat(runtime().disk(life)).isEmpty();
  }

  @Test
  void joinsTheNetworkThatWasMadeAhead() {
    Life life = newLife();
    ContainerSpec spec = spec(life);
    runtime().openNetwork(spec.address());
    runtime().openNetwork(spec.address());
    assertThat(runtime().networks()).containsEntry(spec.address(), true);
    assertThat(runtime().list())
        .extracting(FoundContainer::address)
        .doesNotContain(Optional.of(spec.address()));

    runtime().create(spec);
    assertThat(runtime().start(life)).isEqualTo(Change.DONE);

    assertThat(runtime().networks()).containsEntry(spec.address(), true);
    runtime().remove(life);
    runtime().closeNetwork(spec.address());
    runtime().closeNetwork(spec.address());
    assertThat(runtime().networks()).doesNotContainKey(spec.address());
  }

  @Test
  void makesTheNetworkThatIsMissing() {
    Life life = running();
    String address = runtime().find(life).orElseThrow().address().orElseThrow();
    assertThat(runtime().networks()).containsEntry(address, true);

    runtime().stop(life, GRACE);
    runtime().closeNetwork(address);
    assertThat(runtime().networks()).doesNotContainKey(address);
    assertThat(runtime().start(life)).isEqualTo(Change.DONE);

    assertThat(runtime().networks()).containsEntry(address, true);
  }

  @Test
  void findsWhatIsThereWhenAskedToCreateItAgain() {
    Life life = running();

    Creation again = runtime().create(spec(life));

    assertThat(again).isInstanceOf(Creation.AlreadyThere.class);
    FoundContainer there = ((Creation.AlreadyThere) again).container();
    assertThat(there.phase()).isEqualTo(Phase.RUNNING);
    assertThat(there.containerId()).isEqualTo(runtime().find(life).orElseThrow().containerId());
  }

  @Test
  void createsOneContainerWhenEightAskAtOnce() throws Exception {
    Life life = newLife();
    ContainerSpec spec = spec(life);
    CountDownLatch go = new CountDownLatch(1);
    List<Creation> creations = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Creation>> asked = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        asked.add(
            threads.submit(
                () -> {
                  go.await();
                  return runtime().create(spec);
                }));
      }
      go.countDown();
      for (Future<Creation> one : asked) {
        creations.add(one.get(60, TimeUnit.SECONDS));
      }
    }

    assertThat(creations).filteredOn(Creation.Created.class::isInstance).hasSize(1);
    assertThat(creations).filteredOn(Creation.AlreadyThere.class::isInstance).hasSize(7);
    assertThat(runtime().list(life.sandboxId())).hasSize(1);
  }

  @Test
  void refusesAnImageThatIsNotThere() {
    Life life = newLife();
    ContainerSpec spec = spec(life);
    ContainerSpec unknown =
        new ContainerSpec(
            life,
            spec.orgId(),
            "sandglass/no-such-image:1",
            LIMITS,
            spec.address(),
            spec.guestDirectory(),
            "token");

    assertThat(runtime().create(unknown))
        .isEqualTo(new Creation.NoSuchImage("sandglass/no-such-image:1"));
    assertThat(runtime().find(life)).isEmpty();
    assertThat(runtime().imageId("sandglass/no-such-image:1")).isEmpty();
    assertThat(runtime().imageId(image())).isPresent();
    assertThat(runtime().images()).contains(image());
  }

  @Test
  void startsOnceHoweverOftenAsked() {
    Life life = running();

    assertThat(runtime().start(life)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void freezesAndThawsHoweverOftenAsked() {
    Life life = running();

    assertThat(runtime().freeze(life)).isEqualTo(Change.DONE);
    assertThat(runtime().freeze(life)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.FROZEN);
    assertThat(runtime().start(life)).isEqualTo(Change.MISSING);
    assertThat(phase(life)).isEqualTo(Phase.FROZEN);

    assertThat(runtime().thaw(life)).isEqualTo(Change.DONE);
    assertThat(runtime().thaw(life)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void stopsAndStartsAgain() {
    Life life = running();

    assertThat(runtime().stop(life, GRACE)).isEqualTo(Change.DONE);
    assertThat(runtime().stop(life, GRACE)).isEqualTo(Change.DONE);
    FoundContainer stopped = runtime().find(life).orElseThrow();
    assertThat(stopped.phase()).isEqualTo(Phase.EXITED);
    assertThat(stopped.exit()).isPresent();
    assertThat(runtime().freeze(life)).isEqualTo(Change.MISSING);
    assertThat(runtime().thaw(life)).isEqualTo(Change.MISSING);

    assertThat(runtime().start(life)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void stopsAFrozenOne() {
    Life life = running();
    runtime().freeze(life);

    assertThat(runtime().stop(life, GRACE)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.EXITED);
  }

  @Test
  void removesWhateverItIsDoing() {
    Life created = newLife();
    runtime().create(spec(created));
    Life frozen = running();
    runtime().freeze(frozen);
    Life running = running();

    for (Life life : List.of(created, frozen, running)) {
      runtime().remove(life);
      runtime().remove(life);
      assertThat(runtime().find(life)).isEmpty();
    }
  }

  @Test
  void isGoneForEveryoneWhoRemovedItAtOnce() throws Exception {
    Life life = running();
    CountDownLatch go = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Boolean>> removals = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        removals.add(
            threads.submit(
                () -> {
                  go.await();
                  runtime().remove(life);
                  return runtime().find(life).isEmpty();
                }));
      }
      go.countDown();
      for (Future<Boolean> removal : removals) {
        assertThat(removal.get(60, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @Test
  void changesNothingThatIsNotThere() {
    Life life = newLife();

    assertThat(runtime().start(life)).isEqualTo(Change.MISSING);
    assertThat(runtime().freeze(life)).isEqualTo(Change.MISSING);
    assertThat(runtime().thaw(life)).isEqualTo(Change.MISSING);
    assertThat(runtime().stop(life, GRACE)).isEqualTo(Change.MISSING);
    runtime().remove(life);
    assertThat(runtime().find(life)).isEmpty();
  }

  @Test
  void listsTheLivesOfASandboxAndOfAll() {
    Life first = running();
    Life second = new Life(first.sandboxId(), 2);
    used.add(second);
    runtime().create(spec(second));
    Life other = newLife();
    runtime().create(spec(other));

    assertThat(runtime().list(first.sandboxId()))
        .extracting(FoundContainer::life)
        .containsExactlyInAnyOrder(first, second);
    assertThat(runtime().list()).extracting(FoundContainer::life).contains(first, second, other);
  }

  private Life spare() {
    Life spare = Life.spare(UUID.randomUUID().toString().substring(0, 8));
    used.add(spare);
    runtime().create(spec(spare));
    assertThat(runtime().start(spare)).isEqualTo(Change.DONE);
    return spare;
  }

  @Test
  void makesASpareASandboxs() {
    Life spare = spare();
    FoundContainer before = runtime().find(spare).orElseThrow();
    Life life = newLife();

    assertThat(runtime().rename(spare, life)).isEqualTo(Change.DONE);
    assertThat(runtime().rename(spare, life)).isEqualTo(Change.DONE);

    FoundContainer claimed = runtime().find(life).orElseThrow();
    assertThat(claimed.life()).isEqualTo(life);
    assertThat(claimed.origin()).isEqualTo(spare);
    assertThat(claimed.wasSpare()).isTrue();
    assertThat(claimed.containerId()).isEqualTo(before.containerId());
    assertThat(claimed.address()).isEqualTo(before.address()).isPresent();
    assertThat(claimed.phase()).isEqualTo(Phase.RUNNING);
    assertThat(runtime().find(spare)).isEmpty();
    assertThat(runtime().list(life.sandboxId())).extracting(FoundContainer::life).contains(life);
    assertThat(runtime().list())
        .filteredOn(container -> container.origin().equals(spare))
        .extracting(FoundContainer::life)
        .containsExactly(life);
  }

  @Test
  void givesASpareToOneOfEightThatWantIt() throws Exception {
    Life spare = spare();
    CountDownLatch go = new CountDownLatch(1);
    List<Life> got = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Life> lives = Stream.generate(this::newLife).limit(8).toList();
      List<Future<Change>> claims = new ArrayList<>();
      for (Life life : lives) {
        claims.add(
            threads.submit(
                () -> {
                  go.await();
                  return runtime().rename(spare, life);
                }));
      }
      go.countDown();
      for (int i = 0; i < lives.size(); i++) {
        if (claims.get(i).get(60, TimeUnit.SECONDS) == Change.DONE) {
          got.add(lives.get(i));
        }
      }
    }

    assertThat(got).hasSize(1);
    assertThat(runtime().find(got.getFirst()).orElseThrow().origin()).isEqualTo(spare);
    assertThat(runtime().list())
        .filteredOn(container -> container.origin().equals(spare))
        .hasSize(1);
  }

  @Test
  void givesALifeNoSecondContainer() {
    Life spare = spare();
    Life life = running();

    assertThatThrownBy(() -> runtime().rename(spare, life))
        .isInstanceOf(RuntimeRefusedException.class);

    assertThat(runtime().find(spare).orElseThrow().phase()).isEqualTo(Phase.RUNNING);
    assertThat(runtime().find(life).orElseThrow().origin()).isEqualTo(life);
  }

  @Test
  void resizesWhatIsThereAndStartsItAgainWithTheNewSize() {
    Life spare = spare();
    Life life = newLife();
    Limits bigger = new Limits(1500, 192L << 20);
    runtime().rename(spare, life);

    assertThat(runtime().resize(life, bigger)).isEqualTo(Change.DONE);
    assertThat(runtime().resize(life, bigger)).isEqualTo(Change.DONE);
    assertThat(runtime().find(life).orElseThrow().limits()).isEqualTo(bigger);

    runtime().stop(life, GRACE);
    assertThat(runtime().start(life)).isEqualTo(Change.DONE);
    assertThat(runtime().find(life).orElseThrow().limits()).isEqualTo(bigger);
    assertThat(runtime().resize(newLife(), bigger)).isEqualTo(Change.MISSING);
  }

  @Test
  void hintsWhenSomethingEnds() throws Exception {
    Life life = running();
    CountDownLatch hinted = new CountDownLatch(1);
    try (var _ = runtime().subscribe(hinted::countDown)) {
      runtime().stop(life, GRACE);

      assertThat(hinted.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }
}
