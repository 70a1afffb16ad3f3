package dev.holdfast.cgroup;

import java.nio.file.Path;

/** Where groups can be made in one hierarchy. */
public record Place(Hierarchy hierarchy, Path base, boolean top, boolean writable) {}
