package dev.holdfast.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Runs in every place: the build machine, User-mode Linux with v2, v1 and hybrid cgroups, and QEMU
 * with systemd.
 *
 * <p>Places add up: one on the class and another on a method mean both for that method.
 */
@Tag(Place.HOST)
@Tag(Place.UML_V2)
@Tag(Place.UML_V1)
@Tag(Place.UML_HYBRID)
@Tag(Place.QEMU)
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
public @interface EveryKernel {}
