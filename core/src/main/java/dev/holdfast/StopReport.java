package dev.holdfast;

import java.time.Duration;

/**
 * What stopping a job did.
 *
 * @param members how many there were when it began
 * @param survivors how many were alive after the grace
 * @param killed whether the survivors were ended
 * @param time how long it took
 */
public record StopReport(int members, int survivors, boolean killed, Duration time) {}
