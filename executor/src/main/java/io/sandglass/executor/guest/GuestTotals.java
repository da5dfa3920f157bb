package io.sandglass.executor.guest;

/**
 * How much a detached execution has written so far; claims of the guest.
 *
 * @param stdoutBytes all of it
 * @param stdoutKept what can be read
 * @param ended whether it has ended
 */
public record GuestTotals(
    long stdoutBytes, long stdoutKept, long stderrBytes, long stderrKept, boolean ended) {}
