package dev.holdfast;

import java.time.Duration;

/**
 * What closing a job did.
 *
 * @param killedMembers processes that were still alive when the command or its time ended
 * @param removed whether nothing is left of what held the job
 * @param time how long it took
 */
public record Cleanup(int killedMembers, boolean removed, Duration time) {}
