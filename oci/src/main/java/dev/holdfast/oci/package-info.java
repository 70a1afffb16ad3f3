/**
 * The resources of an OCI runtime configuration, {@code config.json}, as limits of a job:
 *
 * {@snippet :
 * OciSpec spec = OciSpec.read(bundle.resolve("config.json"));
 * Command make = spec.applyTo(Command.of("make").directory(bundle));
 * Result result = Run.of(make).limits(spec.limits()).run();
 * }
 *
 * <p>What of the document is taken, and which file of the kernel it becomes, is in {@code
 * docs/oci.md}. What is wrong in it is a {@link dev.holdfast.cgroup.HoldfastException} that begins
 * with where it stands, such as {@code linux.resources.memory.limit}; unknown members are ignored,
 * as the specification wants it.
 *
 * <p>Source: the Open Container Initiative's runtime specification, config-linux.md and config.md.
 */
@NullMarked
package dev.holdfast.oci;

import org.jspecify.annotations.NullMarked;
