package dev.holdfast;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;

/** The floors of ARCHITECTURE.md: each imports only what is below it. */
@AnalyzeClasses(packages = "dev.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class FloorsTest {
  private static final String[] CORE = {
    "dev.holdfast", "dev.holdfast.containment", "dev.holdfast.cgroup", "dev.holdfast.linux"
  };

  @ArchTest
  static final ArchRule floors =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("command")
          .definedBy("dev.holdfast.cli..")
          .layer("oci")
          .definedBy("dev.holdfast.oci")
          .layer("systemd")
          .definedBy("dev.holdfast.systemd")
          .layer("jobs")
          .definedBy("dev.holdfast")
          .layer("containment")
          .definedBy("dev.holdfast.containment")
          .layer("cgroup")
          .definedBy("dev.holdfast.cgroup")
          .layer("linux")
          .definedBy("dev.holdfast.linux")
          .whereLayer("command")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("oci")
          .mayOnlyBeAccessedByLayers("command")
          .whereLayer("systemd")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("jobs")
          .mayOnlyBeAccessedByLayers("command", "oci")
          .whereLayer("containment")
          .mayOnlyBeAccessedByLayers("jobs")
          .whereLayer("cgroup")
          .mayOnlyBeAccessedByLayers("command", "oci", "systemd", "jobs", "containment")
          .whereLayer("linux")
          .mayOnlyBeAccessedByLayers("jobs", "containment", "cgroup");

  @ArchTest
  static final ArchRule nativeCodeIsInOnePlace =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.holdfast.linux")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign");

  @ArchTest
  static final ArchRule oneClassLinks =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.holdfast.linux.Kernel")
          .should()
          .dependOnClassesThat()
          .areAssignableTo(Linker.class);

  @ArchTest
  static final ArchRule coreHasNoRuntimeDependency =
      noClasses()
          .that()
          .resideInAnyPackage(CORE)
          .should()
          .dependOnClassesThat()
          .resideOutsideOfPackages("java..", "dev.holdfast..", "org.jspecify..");
}
