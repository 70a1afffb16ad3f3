/** The command {@code holdfast}: options, exit statuses, reports. */
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
