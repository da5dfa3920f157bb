#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise.h"
#include "wire.h"

enum {
    KEPT_BYTES = 10 * 1024 * 1024,
    PIECE_BYTES = 32 * 1024, /* of one STDOUT or STDERR frame */
    TOTALS_BYTES = HEADER_BYTES + 33,
    END_BYTES = 64,
};

static struct {
    int file;
    uint64_t seen, kept;
    bool full;
} streams[2];

static uint8_t end[END_BYTES];
static size_t end_length;

static struct reader {
    int fd; /* 0: free */
    uint64_t at[2];
    int turn;
    uint8_t head[TOTALS_BYTES + END_BYTES]; /* what is sent before the body */
    size_t head_at, head_end;
    int body; /* the stream whose bytes are the rest of the frame */
    size_t body_left;
    bool told_end;
    uint8_t in[HEADER_BYTES];
    size_t in_length;
} readers[KEEP_READERS];

/*
 * On the sandbox's disk under no name, so that under memory pressure the kernel can let go of it; where the file system has
 * no such files, in memory.
 */
static int open_spool(void)
{
    static const char *const directories[] = {"/var/tmp", "/tmp", "/"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        int fd = open(directories[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
    }
    return memfd_create("output", MFD_CLOEXEC);
}

bool keep_open(void)
{
    streams[0].file = open_spool();
    streams[1].file = open_spool();
    return streams[0].file >= 0 && streams[1].file >= 0;
}

void keep_output(int stream, const uint8_t *bytes, size_t length)
{
    streams[stream].seen += length;
    if (length > KEPT_BYTES - streams[stream].kept)
        length = KEPT_BYTES - streams[stream].kept;
    while (length > 0 && !streams[stream].full) {
        ssize_t n = pwrite(streams[stream].file, bytes, length, (off_t)streams[stream].kept);
        if (n <= 0) { /* no room on the disk: from here on it is dropped */
            streams[stream].full = true;
            return;
        }
        streams[stream].kept += (uint64_t)n;
        bytes += n;
        length -= (size_t)n;
    }
}

static size_t totals(uint8_t *to)
{
    struct frame f;
    frame_begin(&f, to, TOTALS_BYTES, FRAME_TOTALS);
    for (int i = 0; i < 2; i++) {
        frame_u64(&f, streams[i].seen);
        frame_u64(&f, streams[i].kept);
    }
    frame_u8(&f, end_length > 0);
    frame_end(&f);
    return f.length;
}

void keep_end(const uint8_t *frame, size_t length)
{
    memcpy(end, frame, length);
    end_length = length;
}

static void drop(struct reader *r)
{
    close(r->fd);
    r->fd = 0;
}

/* Prepares the next frame; false when there is none yet. */
static bool next_frame(struct reader *r)
{
    r->head_at = r->head_end = 0;
    for (int i = 0; i < 2; i++) {
        int stream = i ^ r->turn;
        if (r->at[stream] == NO_OUTPUT || r->at[stream] >= streams[stream].kept)
            continue;
        uint64_t left = streams[stream].kept - r->at[stream];
        r->body = stream;
        r->body_left = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        struct frame f;
        frame_begin(&f, r->head, HEADER_BYTES, stream == 0 ? FRAME_STDOUT : FRAME_STDERR);
        f.length += r->body_left;
        frame_end(&f);
        r->head_end = HEADER_BYTES;
        r->turn ^= 1;
        return true;
    }
    if (end_length == 0 || r->told_end)
        return false;
    r->head_end = totals(r->head);
    memcpy(r->head + r->head_end, end, end_length);
    r->head_end += end_length;
    r->told_end = true;
    return true;
}

static bool unsent(const struct reader *r) { return r->head_at < r->head_end || r->body_left > 0; }

static void send_on(struct reader *r)
{
    static uint8_t piece[PIECE_BYTES];
    while (unsent(r) || next_frame(r)) {
        const uint8_t *from = r->head + r->head_at;
        size_t length = r->head_end - r->head_at;
        bool body = length == 0;
        if (body) {
            ssize_t read = pread(streams[r->body].file, piece, r->body_left, (off_t)r->at[r->body]);
            if (read <= 0) { /* the disk has failed us: a frame without its rest, and no end */
                drop(r);
                return;
            }
            from = piece;
            length = (size_t)read;
        }
        ssize_t n = send(r->fd, from, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            drop(r);
            return;
        }
        if (body) {
            r->at[r->body] += (uint64_t)n;
            r->body_left -= (size_t)n;
        } else {
            r->head_at += (size_t)n;
        }
    }
    if (r->told_end)
        drop(r);
}

void keep_reader(int connection, const uint64_t from[2])
{
    struct reader *r = readers;
    while (r < readers + KEEP_READERS && r->fd != 0)
        r++;
    const char *refusal = NULL;
    if (r == readers + KEEP_READERS)
        refusal = "too many connections are attached";
    for (int i = 0; i < 2; i++)
        if (from[i] != NO_OUTPUT && from[i] > streams[i].kept)
            refusal = "the offset is beyond the output";
    if (refusal != NULL) {
        send_error(connection, r == readers + KEEP_READERS ? "no_resources" : "bad_request", refusal);
        close(connection);
        return;
    }
    memset(r, 0, sizeof *r);
    r->fd = connection;
    r->at[0] = from[0];
    r->at[1] = from[1];
    r->head_end = totals(r->head);
    send_on(r);
}

bool keep_accept(int control)
{
    bool forget = false;
    for (;;) {
        struct keep_visit visit;
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } ancillary;
        struct iovec data = {&visit, sizeof visit};
        struct msghdr message = {
            .msg_iov = &data, .msg_iovlen = 1, .msg_control = ancillary.bytes, .msg_controllen = sizeof ancillary.bytes};
        if (recvmsg(control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof visit)
            return forget;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
            continue;
        int connection;
        memcpy(&connection, CMSG_DATA(c), sizeof connection);
        if (visit.forget) {
            close(connection);
            forget = true;
        } else {
            keep_reader(connection, visit.from);
        }
    }
}

void keep_poll(struct pollfd *polled)
{
    for (int i = 0; i < KEEP_READERS; i++) {
        const struct reader *r = &readers[i];
        polled[i] = (struct pollfd){r->fd > 0 ? r->fd : -1, (short)(POLLIN | POLLRDHUP | (unsent(r) ? POLLOUT : 0)), 0};
    }
}

/* True when it wants the execution killed. */
static bool listen_to(struct reader *r)
{
    ssize_t n = recv(r->fd, r->in + r->in_length, HEADER_BYTES - r->in_length, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        drop(r);
        return false;
    }
    r->in_length += (size_t)n;
    if (r->in_length < HEADER_BYTES)
        return false;
    r->in_length = 0;
    if (decode_u32(r->in + 1) == 0 && r->in[0] == FRAME_KILL)
        return true;
    if (!unsent(r)) /* never into the middle of a frame */
        send_error(r->fd, "unknown_request", "the frame type is not known to a detached execution");
    drop(r);
    return false;
}

bool keep_serve(const struct pollfd *polled)
{
    bool kill = false;
    for (int i = 0; i < KEEP_READERS; i++) {
        struct reader *r = &readers[i];
        if (polled[i].fd < 0 || polled[i].fd != r->fd)
            continue;
        if (polled[i].revents & POLLIN) {
            kill |= listen_to(r);
        } else if (polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
            drop(r);
        }
    }
    return kill;
}

void keep_flush(void)
{
    for (int i = 0; i < KEEP_READERS; i++)
        if (readers[i].fd > 0)
            send_on(&readers[i]);
}
