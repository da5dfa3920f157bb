/* What a detached execution keeps: its output, its end, and the connections that read them. */
#ifndef SANDGLASS_KEEP_H
#define SANDGLASS_KEEP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEEP_READERS = 8 };

#define NO_OUTPUT UINT64_MAX /* an offset: nothing of that stream is wanted */

/* Makes room for the output; false when there is none. */
bool keep_open(void);

/* The first 10 MiB of each stream are kept, the rest is counted. Never waits for a reader. */
void keep_output(int stream, const uint8_t *bytes, size_t length);

/* The EXIT frame: what readers get last. */
void keep_end(const uint8_t *frame, size_t length);

/* Takes a connection over, and sends what there is from these offsets on, and what follows, to its end. */
void keep_reader(int connection, const uint64_t from[2]);

/* What comes over the control connection, together with a connection. */
struct keep_visit {
    uint64_t from[2];
    bool forget; /* nobody will ask again */
};

/* Receives connections that come over `control`, as many as there are; true when one says to forget the execution. */
bool keep_accept(int control);

/* Fills in what to poll for; always KEEP_READERS entries. */
void keep_poll(struct pollfd *polled);

/* Hears the readers; true when one wants the execution killed. `polled` as keep_poll has left it, after the poll. */
bool keep_serve(const struct pollfd *polled);

/* Sends what can be sent without waiting. */
void keep_flush(void);

#endif
