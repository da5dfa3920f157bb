package io.sandglass.engine;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import io.sandglass.schemas.WireFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureTest {
  private static final String LIFECYCLE = "io.sandglass.engine.lifecycle..";
  private static final String FLEET = "io.sandglass.engine.fleet..";
  private static final String AUDIT = "io.sandglass.engine.audit..";
  private static final String USAGE = "io.sandglass.engine.usage..";
  private static final String WIRE = "io.sandglass.engine.wire..";
  private static final String REPLAY = "io.sandglass.engine.replay..";
  private static final String STREAM = "io.sandglass.engine.stream..";
  private static final String SCHEMAS = "io.sandglass.schemas..";

  private static final JavaClasses ENGINE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.sandglass.engine");

  @Test
  void theLifecycleIsPure() {
    classes()
        .that()
        .resideInAPackage(LIFECYCLE)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", LIFECYCLE)
        .check(ENGINE);
  }

  @Test
  void theFleetIsPure() {
    classes()
        .that()
        .resideInAPackage(FLEET)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", FLEET)
        .check(ENGINE);
  }

  @Test
  void usageIsPure() {
    classes()
        .that()
        .resideInAPackage(USAGE)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", LIFECYCLE, USAGE)
        .check(ENGINE);
  }

  @Test
  void thePureReadNoClock() {
    noClasses()
        .that()
        .resideInAnyPackage(LIFECYCLE, FLEET, USAGE, WIRE)
        .should()
        .callMethod(java.time.Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Random.class)
        .check(ENGINE);
  }

  @Test
  void theAuditTouchesNoTopic() {
    classes()
        .that()
        .resideInAPackage(AUDIT)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", AUDIT, SCHEMAS)
        .check(ENGINE);
  }

  /** The stream may name topics and encode; what a record means only the wire knows. */
  @Test
  void onlyTheWireKnowsRecords() {
    noClasses()
        .that()
        .resideOutsideOfPackage(WIRE)
        .should()
        .dependOnClassesThat(
            resideInAPackage(SCHEMAS)
                .and(
                    com.tngtech.archunit.base.DescribedPredicate.not(
                        com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf(
                            ChainHash.class, Topic.class, Topics.class, WireFormat.class))))
        .check(ENGINE);
  }

  @Test
  void onlyTheStreamAndTheReplayTouchKafka() {
    noClasses()
        .that()
        .resideOutsideOfPackages(STREAM, REPLAY)
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("org.apache.kafka.streams..", "org.apache.kafka.clients.."))
        .check(ENGINE);
  }

  @Test
  void packagesFormNoCycles() {
    slices().matching("io.sandglass.engine.(*)..").should().beFreeOfCycles().check(ENGINE);
  }
}
