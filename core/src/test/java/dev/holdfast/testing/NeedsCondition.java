package dev.holdfast.testing;

import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Skips a test or class whose {@link Needs} this place does not meet. */
final class NeedsCondition implements ExecutionCondition {

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<Feature> missing =
        AnnotationSupport.findAnnotation(context.getElement(), Needs.class).stream()
            .flatMap(needs -> Arrays.stream(needs.value()))
            .filter(feature -> !feature.isPresent())
            .findFirst();
    return missing
        .map(feature ->
            ConditionEvaluationResult.disabled(
                Place.current() + " lacks " + feature + ": " + feature.meaning()))
        .orElseGet(() -> ConditionEvaluationResult.enabled("nothing is missing"));
  }
}
