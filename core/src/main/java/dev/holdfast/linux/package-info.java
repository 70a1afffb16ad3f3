/**
 * System calls, descriptors, pidfds, the poller and the keeper's client. Knows nothing of cgroups
 * or jobs.
 */
@NullMarked
package dev.holdfast.linux;

import org.jspecify.annotations.NullMarked;
