/* One execution, from its RUN frame to the end of the last process it left behind. */
#ifndef SANDGLASS_SUPERVISE_H
#define SANDGLASS_SUPERVISE_H

#include <stdint.h>

/*
 * Serves the request that waits on `connection`, in a process of its own, and ends the process: with status 0 when none of
 * the execution's processes is left. `signals` is a non-blocking signalfd that tells of SIGCHLD; all signals are blocked.
 */
_Noreturn void supervise(int connection, int signals);

/* Sends an ERROR frame as far as the socket takes it without waiting. */
void send_error(int connection, const char *code, const char *detail);

int64_t now_us(void);

#endif
