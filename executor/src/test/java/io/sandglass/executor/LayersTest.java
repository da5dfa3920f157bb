package io.sandglass.executor;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
final class LayersTest {
  private static final String ROOT = "io.sandglass.executor";

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @Test
  void dockerIsKnownInOnePackage() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".runtime.docker")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.github.dockerjava..")
        .check(classes);
  }

  @Test
  void theWireIsKnownInOnePackageAndTheCompositionRoot() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".kafka", ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.kafka..", "org.apache.avro..", "io.sandglass.schemas..")
        .check(classes);
  }

  @Test
  void httpIsKnownInOnePackageAndTheCompositionRoot() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".dataplane", ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jakarta..", "io.dropwizard..", "org.glassfish..", "com.fasterxml..")
        .check(classes);
  }

  @Test
  void theRuntimePortKnowsOnlyTheJdk() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".runtime")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", ROOT + ".runtime")
        .check(classes);
  }

  @Test
  void theFirewallPortKnowsOnlyTheJdk() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".network")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", ROOT + ".network")
        .check(classes);
  }

  @Test
  void otherProgramsAreStartedInTwoPlaces() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".network.nft")
        .and()
        .doNotHaveFullyQualifiedName(ROOT + ".runtime.docker.DiskMeter")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.ProcessBuilder")
        .check(classes);
  }

  @Test
  void theGuestIsReachedThroughItsPort() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + ".guest", ROOT + ".execution")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + ".guest")
        .check(classes);
  }

  @Test
  void sandboxesAreWorkedOnThroughPorts() {
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + ".sandbox", ROOT + ".execution", ROOT + ".template")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            ROOT + ".kafka",
            ROOT + ".dataplane",
            ROOT + ".runtime.docker",
            ROOT + ".network.nft",
            ROOT)
        .check(classes);
  }
}
