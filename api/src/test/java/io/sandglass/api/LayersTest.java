package io.sandglass.api;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Which package may use which. */
final class LayersTest {
  private static final String ROOT = "io.sandglass.api.";

  private final JavaClasses api =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.sandglass.api");

  @Test
  void theDomainIsPlainJava() {
    classes()
        .that()
        .resideInAPackage(ROOT + "domain")
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage("java..", ROOT + "domain"))
        .check(api);
  }

  @Test
  void avroStaysInTheWire() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "wire", ROOT + "kafka")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.sandglass.schemas..", "org.apache.avro..")
        .check(api);
  }

  @Test
  void kafkaStaysInItsPackage() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "kafka")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.kafka..")
        .check(api);
  }

  @Test
  void sqlStaysInTheStore() {
    noClasses()
        .that()
        .resideInAnyPackage(
            ROOT + "domain",
            ROOT + "wire",
            ROOT + "control",
            ROOT + "kafka",
            ROOT + "dataplane",
            ROOT + "secrets",
            ROOT + "webhooks",
            ROOT + "resources")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.sql..", "org.jdbi..", "org.flywaydb..", "org.h2..")
        .check(api);
  }

  @Test
  void httpStaysOnTop() {
    noClasses()
        .that()
        .resideInAnyPackage(
            ROOT + "domain", ROOT + "wire", ROOT + "control", ROOT + "store", ROOT + "secrets")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jakarta..", "java.net.http..", ROOT + "http", ROOT + "resources")
        .check(api);
  }

  @Test
  void blockingHttpClientsStayInTheirPackages() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "webhooks", ROOT + "dataplane")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.hc..")
        .check(api);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(api);
  }
}
