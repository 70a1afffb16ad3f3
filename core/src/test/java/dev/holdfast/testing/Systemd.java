package dev.holdfast.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Runs in QEMU only: as root, in a systemd unit with {@code Delegate=yes}.
 *
 * <p>Places add up: one on the class and another on a method mean both for that method.
 */
@Tag(Place.QEMU)
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
public @interface Systemd {}
