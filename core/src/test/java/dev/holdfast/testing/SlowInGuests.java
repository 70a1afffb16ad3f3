package dev.holdfast.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * Takes many JVMs, which start in seconds there. Without {@code --long} it is left to User-mode
 * Linux with v2 alone and with v1 alone, and to the host: QEMU mounts groups as the first of these
 * does, and the third guest as this machine.
 */
@Tag("slow-in-guests")
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
public @interface SlowInGuests {}
