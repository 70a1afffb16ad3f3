package dev.holdfast.cgroup;

/** Why something cannot be had, and how to mend it. */
public record Absence(String reason, String remedy) {}
