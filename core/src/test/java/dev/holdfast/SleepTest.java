package dev.holdfast;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.holdfast.testing.WallTime;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Nobody sleeps and hopes, tests included; what is measured in wall time says so. */
@AnalyzeClasses(packages = "dev.holdfast")
class SleepTest {
  /** In whatever overload. */
  private static final DescribedPredicate<JavaCall<?>> SLEEP =
      describe(
          "a sleep",
          call ->
              call.getTarget().getName().equals("sleep")
                  && (call.getTargetOwner().isEquivalentTo(Thread.class)
                      || call.getTargetOwner().isEquivalentTo(TimeUnit.class)));

  /** The bounded retries of the product, where the kernel has no event. */
  private static final DescribedPredicate<JavaCall<?>> TIMED_PARK =
      describe(
          "a park for some time",
          call ->
              call.getTargetOwner().isEquivalentTo(LockSupport.class)
                  && Set.of("parkNanos", "parkUntil").contains(call.getTarget().getName()));

  @ArchTest
  static final ArchRule nobodySleeps =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.holdfast.bench")
          .and()
          .doNotBelongToAnyOf(WallTime.class)
          .should()
          .callMethodWhere(SLEEP.forSubtype());

  @ArchTest
  static final ArchRule noTestParksForSomeTime =
      noClasses()
          .that(describe("are tests", type -> type.getSource().isPresent() && isTest(type)))
          .should()
          .callMethodWhere(TIMED_PARK.forSubtype());

  /** The control: the rules see the tests, and would see a sleep in them. */
  @ArchTest
  static final ArchRule theOneThatSleepsIsSeen =
      classes().that().belongToAnyOf(WallTime.class).should().callMethodWhere(SLEEP.forSubtype());

  private static boolean isTest(com.tngtech.archunit.core.domain.JavaClass type) {
    return type.getSource().orElseThrow().getUri().toString().contains("test-classes/");
  }
}
