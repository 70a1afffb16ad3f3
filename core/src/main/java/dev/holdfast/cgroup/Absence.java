package dev.holdfast.cgroup;

/**
 * Why a controller cannot be had here. Immutable.
 *
 * @param reason what is missing, such as {@code this kernel has no hugetlb controller}
 * @param remedy how to mend it
 */
public record Absence(String reason, String remedy) {}
