/** Measures Holdfast beside its rivals and beside C; see {@code bench/README.md}. */
@NullMarked
package dev.holdfast.bench;

import org.jspecify.annotations.NullMarked;
