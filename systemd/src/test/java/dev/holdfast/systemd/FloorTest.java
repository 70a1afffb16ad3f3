package dev.holdfast.systemd;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** This wing rests on the floor of control groups alone. */
@AnalyzeClasses(
    packages = "dev.holdfast.systemd",
    importOptions = ImportOption.DoNotIncludeTests.class)
class FloorTest {
  @ArchTest
  static final ArchRule itRestsOnOneFloor =
      classes()
          .that()
          .resideInAPackage("dev.holdfast.systemd")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "dev.holdfast.systemd",
              "dev.holdfast.cgroup",
              "org.freedesktop.dbus..",
              "org.jspecify..",
              "java..");

  /** Or the first look at a machine would load them. */
  @ArchTest
  static final ArchRule lookingLoadsNothingOfDBus =
      noClasses()
          .that()
          .haveSimpleName("SystemdScopes")
          .or()
          .haveSimpleName("Instance")
          .or()
          .haveSimpleName("Bus")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.freedesktop.dbus..");
}
