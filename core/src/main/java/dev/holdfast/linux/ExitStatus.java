package dev.holdfast.linux;

/**
 * How a reaped child ended.
 *
 * @param code the exit code from 0 to 255, or −1 if a signal ended it
 * @param signal the signal that ended it, or 0
 * @param usage what the kernel counted for it and for those of its children that it waited for
 */
public record ExitStatus(int code, int signal, ResourceUsage usage) {}
