package dev.holdfast.cgroup;

import java.nio.file.Path;

/**
 * Where groups can be made in a hierarchy. Immutable.
 *
 * @param base the directory below which they are made
 * @param top whether that is the real root of the hierarchy, not that of a namespace
 * @param writable whether we may; a place where we may not is not used, and {@link
 *     Delegation#absences} says why for each of its controllers
 */
public record Place(Hierarchy hierarchy, Path base, boolean top, boolean writable) {}
