/** Placeholder. */
@NullMarked
package dev.holdfast.cgroup;

import org.jspecify.annotations.NullMarked;
