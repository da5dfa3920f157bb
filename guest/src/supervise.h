/* One execution, from its RUN frame to the end of the last process it left behind. */
#ifndef SANDGLASS_SUPERVISE_H
#define SANDGLASS_SUPERVISE_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_EXECUTION_ID = 127 };

/* Where an execution that outlives its connection is found: shared by PID 1 and its children, written by the supervisor. */
struct listing {
    char id[MAX_EXECUTION_ID + 1]; /* empty: not a detached one */
};

/* What a new child of PID 1 gets. */
struct post {
    int connection;            /* a request waits on it */
    int signals;               /* a non-blocking signalfd that tells of SIGCHLD; all signals are blocked */
    int control;               /* connections for this execution come over it; -1 when there is none */
    struct listing *listing;
};

/*
 * Serves the request, in a process of its own, and ends the process: with status 0 when none of the execution's processes
 * is left and nobody may ask for its output any more.
 */
_Noreturn void supervise(const struct post *post);

/* The end of the control connection that leads to the supervisor of a detached execution; -1 when there is none. */
int control_of(const char *id, size_t length);

/* Closes those ends, which only a child that hands a connection on needs. */
void close_controls(void);

/* Sends an ERROR frame as far as the socket takes it without waiting. */
void send_error(int connection, const char *code, const char *detail);

int64_t now_us(void);

#endif
