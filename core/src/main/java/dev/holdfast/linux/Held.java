package dev.holdfast.linux;

/**
 * A child that the keeper holds by itself, since no group does.
 *
 * @param leads whether it leads a POSIX session, which is held with it and after it
 * @param startTicks when it started: see {@link ProcessTable.Entry}
 */
public record Held(int pid, boolean leads, long startTicks) {}
