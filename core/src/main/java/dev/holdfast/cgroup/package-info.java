/**
 * Control groups: a part of the tree that is ours, limits, usage, and the end of what is inside.
 *
 * {@snippet :
 * Delegation ours = Delegation.find(); // or the reason and the remedy
 * try (Cgroup job = ours.create("make-" + ProcessHandle.current().pid())) {
 *   job.apply(Limits.builder().memory("512M").pids(100).build());
 *   Process make = new ProcessBuilder("make").start();
 *   job.attach(make.pid()); // and whatever it starts from now on
 *   if (!job.awaitEmpty(Duration.ofMinutes(5))) {
 *     System.err.println("too slow: " + job.members());
 *   }
 *   job.usage().memory().peak().ifPresent(System.out::println);
 * } // ends what is left, and removes the group
 * }
 *
 * <p>It is the same on v2, on v1 and where both are in use; a limit that the kernel does not take
 * is an error, or reported as {@code unenforced}; a figure that it does not give is absent. A
 * process that joins late has started and used memory outside; {@code dev.holdfast} starts it
 * inside.
 *
 * <p>What can be asked: {@link Cgroup#usage} has what every report tells, {@link Cgroup#statistics}
 * all that the kernel counts, {@link Cgroup#walk} the groups that members made inside. {@link
 * Cgroup#listen} tells of what happens. A limit that warns before it kills:
 *
 * {@snippet :
 * Runnable warn = () -> System.err.println("little memory left: " + job);
 * Duration stall = Duration.ofMillis(150);
 * Duration window = Duration.ofSeconds(2);
 * try (Watch watch =
 *     job.paths().containsKey("memory") // v1 has the memory: it tells of amounts, v2 of waiting
 *         ? job.onMemoryUse(400 << 20, warn)
 *         : job.onPressure(PressureKind.MEMORY, false, stall, window, warn)) {
 *   job.awaitEmpty(Duration.ofMinutes(5));
 * }
 * }
 */
@NullMarked
package dev.holdfast.cgroup;

import org.jspecify.annotations.NullMarked;
