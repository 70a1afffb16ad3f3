/**
 * Control groups: finding them, owning a part of them, limits, usage, and ending what is inside.
 *
 * <p>With a group that may have others inside it ({@code mine}), a job is made, filled, read and
 * cleaned up like this:
 *
 * <pre>{@code
 * mine.enableControllers();
 * try (Cgroup job = mine.create("job-1")) {
 *   job.apply(Limits.builder().memory("64M").pids(100).build(), false);
 *   Process process = new ProcessBuilder("make").start();
 *   job.attach(process.pid());
 *   if (!job.awaitEmpty(Duration.ofMinutes(1))) {
 *     job.kill(Duration.ofSeconds(5));
 *   }
 *   System.out.println(job.usage().memory().peak());
 * } // kills what is left and removes the group
 * }</pre>
 *
 * <p>A process that joins late has started and used memory outside; {@code dev.holdfast} starts it
 * inside.
 */
@NullMarked
package dev.holdfast.cgroup;

import org.jspecify.annotations.NullMarked;
