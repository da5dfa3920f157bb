package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.RelistDiff.Action;
import io.sandglass.executor.sandbox.RelistDiff.Known;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RelistDiffTest {
  private static final Life FIRST = new Life("sbx_a", 1);
  private static final Life SECOND = new Life("sbx_a", 2);

  private static FoundContainer found(Life life, Phase phase) {
    return new FoundContainer(
        life, life, "org", Limits.NONE, "id", "image", Optional.empty(), phase, Optional.empty());
  }

  private static List<Action> diff(Resident.Phase known, FoundContainer... found) {
    return RelistDiff.diff(Optional.of(new Known(SECOND, known, true)), List.of(found));
  }

  @Test
  void findsNoDifferenceWhereThereIsNone() {
    assertThat(diff(Resident.Phase.RUNNING, found(SECOND, Phase.RUNNING))).isEmpty();
    assertThat(diff(Resident.Phase.FROZEN, found(SECOND, Phase.FROZEN))).isEmpty();
    assertThat(diff(Resident.Phase.STOPPED, found(SECOND, Phase.EXITED))).isEmpty();
    assertThat(RelistDiff.diff(Optional.empty(), List.of())).isEmpty();
  }

  @Test
  void adoptsTheNewestAndAsksAboutTheOthers() {
    FoundContainer older = found(FIRST, Phase.RUNNING);
    FoundContainer newer = found(SECOND, Phase.RUNNING);

    assertThat(RelistDiff.diff(Optional.empty(), List.of(older, newer)))
        .containsExactly(new Action.Adopt(newer), new Action.Ask(older));
    assertThat(diff(Resident.Phase.RUNNING, older, newer)).containsExactly(new Action.Ask(older));
  }

  @Test
  void leavesAloneWhatIsOnItsWayOut() {
    assertThat(RelistDiff.diff(Optional.empty(), List.of(found(FIRST, Phase.REMOVING)))).isEmpty();
    assertThat(diff(Resident.Phase.RUNNING, found(SECOND, Phase.REMOVING))).isEmpty();
  }

  @Test
  void tellsEndsThatNobodyAskedFor() {
    FoundContainer exited = found(SECOND, Phase.EXITED);

    assertThat(diff(Resident.Phase.RUNNING, exited)).containsExactly(new Action.TellExit(SECOND));
    assertThat(diff(Resident.Phase.FROZEN, exited)).containsExactly(new Action.TellExit(SECOND));
    assertThat(diff(Resident.Phase.STARTING, exited)).isEmpty();
  }

  @Test
  void tellsWhatHasGoneButOnlyIfItEverWas() {
    assertThat(diff(Resident.Phase.FROZEN)).containsExactly(new Action.TellGone(SECOND));
    assertThat(
            RelistDiff.diff(
                Optional.of(new Known(SECOND, Resident.Phase.UNVERIFIED, false)), List.of()))
        .containsExactly(new Action.Forget(SECOND));
  }

  @Test
  void thawsWhatSomebodyElseFroze() {
    assertThat(diff(Resident.Phase.RUNNING, found(SECOND, Phase.FROZEN)))
        .containsExactly(new Action.Thaw(SECOND));
  }
}
