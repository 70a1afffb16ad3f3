package dev.holdfast;

import java.time.Duration;

/**
 * What stopping a job did.
 *
 * @param members how many there were when it began; at least, where more came than could be counted
 * @param survivors how many were alive after the grace, counted likewise
 * @param killed whether the survivors were ended
 * @param time how long it took
 */
public record StopReport(int members, int survivors, boolean killed, Duration time) {}
