/** Commands, jobs and their results. */
@NullMarked
package dev.holdfast;

import org.jspecify.annotations.NullMarked;
