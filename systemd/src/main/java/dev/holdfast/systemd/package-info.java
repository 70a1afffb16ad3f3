/**
 * Asks systemd for a delegated scope. {@code dev.holdfast.cgroup.Delegation} finds it by {@link
 * java.util.ServiceLoader} where nothing else is ours; there is nothing to call.
 */
@NullMarked
package dev.holdfast.systemd;

import org.jspecify.annotations.NullMarked;
