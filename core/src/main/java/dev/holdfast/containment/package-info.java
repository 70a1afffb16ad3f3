/**
 * The ladder of mechanisms that hold a job together, the anchor, and what a JVM owns of the
 * machine.
 */
@NullMarked
package dev.holdfast.containment;

import org.jspecify.annotations.NullMarked;
