/**
 * Control groups: finding them, owning a part of them, limits, usage, and ending what is inside.
 */
@NullMarked
package dev.holdfast.cgroup;

import org.jspecify.annotations.NullMarked;
