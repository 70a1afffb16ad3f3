package dev.holdfast.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * In QEMU only with {@code --long}: its processors are emulated, a JVM takes seconds to start, and
 * what this tests is the same in the other places.
 */
@Tag("slow-in-qemu")
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
public @interface SlowInQemu {}
