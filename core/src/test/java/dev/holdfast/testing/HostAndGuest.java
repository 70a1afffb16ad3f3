package dev.holdfast.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Runs on the build machine and in one test kernel, another than its own: what is the same however
 * cgroups are mounted and whoever manages them. With {@code --long} in every test kernel.
 *
 * <p>Places add up: one on the class and another on a method mean both for that method.
 */
@Tag(Place.HOST)
@Tag(Place.UML_V2)
@Tag("any-guest")
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
public @interface HostAndGuest {}
