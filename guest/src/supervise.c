#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "keep.h"
#include "tree.h"
#include "wire.h"

enum {
    OUTPUT_BYTES = 32 * 1024, /* of one STDOUT or STDERR frame */
    STDIN_BYTES = 8 * 1024,
    REQUEST_WITHIN_MS = 10000,
    KILL_PAUSE_MS = 2,
    KILL_PAUSE_LONG_MS = 50,
    KILL_PATIENCE_US = 1000000, /* then EXIT is sent although the kernel keeps some */
};

enum phase {
    RUNNING,
    KILLING,   /* until no descendant is left */
    DRAINING,  /* what was in the pipes when the command ended */
    REPORTING, /* EXIT waits for the socket */
    LINGERING, /* answered, or nobody to answer; here only as the parent of what the command left in the background */
};

enum start_step { STEP_WORKDIR, STEP_EXEC };

/* Written by the command's process before its exec, while it has this one's memory. */
static volatile struct {
    enum start_step step;
    int error; /* 0: it has worked */
} start_failure;

struct request {
    struct text id;
    char *command;
    char *workdir;
    uint32_t timeout_ms;
    bool wants_stdin;
    bool detached;
    uint16_t env_count;
    char **env;
};

/* The one execution of this process. */
static struct {
    enum phase phase;
    int connection;
    int signals;
    int control; /* of a detached execution: its connections come over it */
    bool detached;
    bool forgotten; /* nobody will ask for a detached execution's output again */
    int output[2];
    int input;
    pid_t command;
    bool ended;
    bool descendants;
    int wait_status;
    uint8_t flags;
    int64_t start_us, end_us;
    int64_t deadline_us; /* 0: none */
    int64_t kill_us;
    int64_t reaped_us;
    int to_drain[2];
    int turn; /* which stream is read first */
} run;

/* At most one frame waits for the socket; while it does, the pipes are not read. */
static uint8_t out[HEADER_BYTES + OUTPUT_BYTES];
static size_t out_at, out_end;

/* STDIN bytes wait here for the command; while they do, no further frame is read. */
static uint8_t in_header[HEADER_BYTES];
static size_t in_header_length;
static uint32_t in_payload_left;
static uint8_t in[STDIN_BYTES];
static size_t in_at, in_end;

int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void send_error(int connection, const char *code, const char *detail)
{
    uint8_t bytes[256];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_ERROR);
    frame_text(&f, code);
    frame_text(&f, detail);
    frame_end(&f);
    send(connection, bytes, f.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static _Noreturn void refuse(int connection, const char *code, const char *detail)
{
    send_error(connection, code, detail);
    _exit(0);
}

/* ---- the request ---- */

static void read_fully(int connection, uint8_t *bytes, size_t length, int64_t until_us)
{
    while (length > 0) {
        ssize_t n = recv(connection, bytes, length, MSG_DONTWAIT);
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
            continue;
        }
        int64_t left_us = until_us - now_us();
        if (n == 0 || errno != EAGAIN || left_us <= 0)
            _exit(0); /* the host is gone or has lost interest, and nothing runs yet */
        struct pollfd p = {.fd = connection, .events = POLLIN};
        poll(&p, 1, (int)(left_us / 1000) + 1);
    }
}

static char *terminate(struct text text)
{
    text.at[text.length] = 0;
    return text.at;
}

/*
 * Texts are terminated and `NAME=value` strings made in place: in front of every value stands its length field, which has
 * been read by then, so the name can move up to it. The payload has a spare byte at its end.
 */
static bool parse(uint8_t *payload, size_t length, struct request *request)
{
    struct fields fields = {payload, payload + length, false};
    request->id = read_text(&fields);
    struct text command = read_text(&fields);
    struct text workdir = read_text(&fields);
    request->timeout_ms = read_u32(&fields);
    uint8_t flags = read_u8(&fields);
    request->wants_stdin = flags & RUN_STDIN;
    request->detached = flags & RUN_DETACHED;
    request->env_count = read_u16(&fields);
    if (request->detached && (request->wants_stdin || request->id.length == 0 || request->id.length > MAX_EXECUTION_ID))
        return false;
    if (fields.bad || (size_t)(fields.end - fields.at) < (size_t)request->env_count * 8)
        return false;
    request->env = calloc((size_t)request->env_count + 1, sizeof(char *));
    if (request->env == NULL)
        refuse(run.connection, "no_resources", "out of memory");
    for (int i = 0; i < request->env_count; i++) {
        struct text name = read_text(&fields);
        struct text value = read_text(&fields);
        if (fields.bad || name.length == 0 || memchr(name.at, '=', name.length) != NULL)
            return false;
        char *start = value.at - 1 - name.length;
        memmove(start, name.at, name.length);
        value.at[-1] = '=';
        request->env[i] = start;
        if (i > 0) /* the end of the value before was this name's length field */
            name.at[-4] = 0;
    }
    if (fields.bad || fields.at != fields.end)
        return false;
    *fields.end = 0;
    request->command = terminate(command);
    request->workdir = terminate(workdir);
    return true;
}

/* ---- the command's process ---- */

static bool same_name(const char *a, const char *b)
{
    while (*a == *b && *a != '=' && *a != 0) {
        a++;
        b++;
    }
    return *a == '=' && *b == '=';
}

static void env_add(char **env, size_t *count, char *entry, bool replace)
{
    for (size_t i = 0; i < *count; i++)
        if (same_name(env[i], entry)) {
            if (replace)
                env[i] = entry;
            return;
        }
    env[(*count)++] = entry;
}

/* The sandbox's environment, then the request's, then defaults. */
static char **environment_of(const struct request *request)
{
    size_t inherited = 0, count = 0;
    while (environ[inherited] != NULL)
        inherited++;
    char **env = calloc(inherited + request->env_count + 3, sizeof(char *));
    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < inherited; i++)
        env_add(env, &count, environ[i], true);
    for (size_t i = 0; i < request->env_count; i++)
        env_add(env, &count, request->env[i], true);
    env_add(env, &count, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", false);
    env_add(env, &count, geteuid() == 0 ? "HOME=/root" : "HOME=/", false);
    return env;
}

/* Lets the kernel prefer a command over the guest when memory runs out. */
static void become_first_oom_victim(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "500", 3) != 3) { /* not permitted: the command is still the larger process */
        }
        close(fd);
    }
}

static _Noreturn void fail_start(enum start_step step)
{
    start_failure.step = step;
    start_failure.error = errno;
    _exit(127);
}

/* Changes nothing that is shared: the process that has vforked goes on where this one leaves its memory. */
static _Noreturn void become_command(const struct request *request, char **env, const int stdio[3])
{
    setsid();
    become_first_oom_victim();
    for (int fd = 0; fd < 3; fd++)
        dup2(stdio[fd], fd); /* the copies are not close-on-exec, everything else is */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    /* Not signal(): that leaves out glibc's own 32 and 33, which posix_spawn has its children ignore. */
    static const struct { unsigned long handler, flags, restorer, mask; } by_default;
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (*request->workdir != 0 && chdir(request->workdir) < 0)
        fail_start(STEP_WORKDIR);
    char *plain[] = {"sh", "-c", request->command, NULL};
    char *dashed[] = {"sh", "-c", "--", request->command, NULL};
    bool looks_like_option = *request->command == '-' || *request->command == '+';
    execve("/bin/sh", looks_like_option ? dashed : plain, env);
    fail_start(STEP_EXEC);
}

/* Returns when exec has worked or the process has ended. A fork would copy what exec throws away, 0.6 ms of it. */
static pid_t start_process(const struct request *request, char **env, const int stdio[3])
{
    pid_t pid = vfork();
    if (pid == 0)
        become_command(request, env, stdio);
    return pid;
}

static void start(const struct request *request)
{
    int in_pipe[2] = {-1, -1}, out_pipe[2], err_pipe[2];
    char **env = environment_of(request);
    bool ok = env != NULL && pipe2(out_pipe, O_CLOEXEC) == 0 && pipe2(err_pipe, O_CLOEXEC) == 0;
    if (ok && request->wants_stdin)
        ok = pipe2(in_pipe, O_CLOEXEC) == 0;
    else if (ok)
        ok = (in_pipe[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;
    if (!ok)
        refuse(run.connection, "no_resources", strerrordesc_np(errno));
    run.start_us = now_us();
    run.deadline_us = request->timeout_ms == 0 ? 0 : run.start_us + (int64_t)request->timeout_ms * 1000;
    run.command = start_process(request, env, (int[]){in_pipe[0], out_pipe[1], err_pipe[1]});
    if (run.command < 0)
        refuse(run.connection, "no_resources", strerrordesc_np(errno));
    if (start_failure.error != 0)
        refuse(
            run.connection,
            start_failure.step == STEP_WORKDIR ? "workdir_unavailable" : "cannot_exec",
            strerrordesc_np(start_failure.error));
    free(env);
    close(in_pipe[0]);
    close(out_pipe[1]);
    close(err_pipe[1]);
    run.output[0] = out_pipe[0];
    run.output[1] = err_pipe[0];
    run.input = in_pipe[1];
    int ours[] = {run.output[0], run.output[1], run.input};
    for (int i = 0; i < 3; i++)
        fcntl(ours[i], F_SETFL, O_NONBLOCK); /* of our ends only; without stdin the last is -1 and this does nothing */
}

/* From here on it can be attached to. */
static void detach(const struct request *request, struct listing *listing)
{
    if (run.control < 0 || !keep_open())
        refuse(run.connection, "no_resources", strerrordesc_np(errno));
    run.detached = true;
    memcpy(listing->id, request->id.at, request->id.length);
}

/* ATTACH or FORGET: hands the connection on to the supervisor of the execution that it is about. */
static _Noreturn void serve_visit(uint8_t type, uint32_t length, int64_t until_us)
{
    uint8_t payload[4 + MAX_EXECUTION_ID + 16];
    if (length > sizeof payload)
        refuse(run.connection, "bad_request", "the request is too long");
    read_fully(run.connection, payload, length, until_us);
    struct fields fields = {payload, payload + length, false};
    struct text id = read_text(&fields);
    struct keep_visit visit = {.forget = type == FRAME_FORGET};
    for (int i = 0; i < 2 && !visit.forget; i++)
        visit.from[i] = read_u64(&fields);
    if (fields.bad || fields.at != fields.end)
        refuse(run.connection, "bad_request", "the request is malformed");
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } ancillary = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&ancillary.header), &run.connection, sizeof run.connection);
    struct iovec data = {&visit, sizeof visit};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = ancillary.bytes, .msg_controllen = sizeof ancillary.bytes};
    int control = control_of(id.at, id.length);
    if (control < 0 || sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof visit)
        refuse(run.connection, "unknown_execution", "no execution of this id is kept here");
    _exit(0);
}

static void serve_request(struct listing *listing)
{
    int64_t until_us = now_us() + (int64_t)REQUEST_WITHIN_MS * 1000;
    uint8_t header[HEADER_BYTES];
    read_fully(run.connection, header, sizeof header, until_us);
    uint32_t length = decode_u32(header + 1);
    if (is_file_request(header[0]))
        serve_file(run.connection, header[0], length);
    if (header[0] == FRAME_ATTACH || header[0] == FRAME_FORGET)
        serve_visit(header[0], length, until_us);
    close_controls();
    if (header[0] != FRAME_RUN)
        refuse(run.connection, "unknown_request", "the first frame must be a request");
    if (length > MAX_REQUEST)
        refuse(run.connection, "bad_request", "RUN is longer than 256 KiB");
    uint8_t *payload = malloc(length + 1);
    if (payload == NULL)
        refuse(run.connection, "no_resources", "out of memory");
    read_fully(run.connection, payload, length, until_us);
    struct request request;
    if (!parse(payload, length, &request))
        refuse(run.connection, "bad_request", "RUN is malformed");
    if (request.detached)
        detach(&request, listing);
    start(&request);
    explicit_bzero(payload, length);
    free(request.env);
    free(payload);
}

/* ---- answers ---- */

static void abandon(void);

static void flush_out(void)
{
    while (out_at < out_end && run.connection >= 0) {
        ssize_t n = send(run.connection, out + out_at, out_end - out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            out_at += (size_t)n;
        else if (errno == EAGAIN || errno == EINTR)
            return;
        else
            abandon();
    }
    if (out_at == out_end)
        out_at = out_end = 0;
}

static void queue(const struct frame *f)
{
    out_at = 0;
    out_end = f->length;
    flush_out();
}

static void send_started(void)
{
    struct frame f;
    frame_begin(&f, out, sizeof out, FRAME_STARTED);
    frame_u32(&f, (uint32_t)run.command);
    frame_end(&f);
    queue(&f);
}

static uint64_t micros(struct timeval t) { return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec; }

/* Builds the EXIT frame in `out` and returns its length. */
static size_t exit_frame(void)
{
    uint8_t signal = 0, status;
    if (run.ended && WIFSIGNALED(run.wait_status)) {
        signal = (uint8_t)WTERMSIG(run.wait_status);
        status = (uint8_t)(128 + signal);
        run.flags |= EXIT_SIGNALLED;
    } else {
        status = run.ended ? (uint8_t)WEXITSTATUS(run.wait_status) : 128 + SIGKILL;
    }
    if (run.flags & EXIT_TIMED_OUT)
        status = 124;
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    struct frame f;
    frame_begin(&f, out, sizeof out, FRAME_EXIT);
    frame_u8(&f, status);
    frame_u8(&f, run.flags);
    frame_u8(&f, signal);
    frame_u64(&f, (uint64_t)((run.ended ? run.end_us : now_us()) - run.start_us));
    frame_u64(&f, micros(used.ru_utime) + micros(used.ru_stime));
    frame_u64(&f, (uint64_t)used.ru_maxrss * 1024);
    frame_end(&f);
    return f.length;
}

/* ---- phases ---- */

static void reap(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid == run.command) {
            run.ended = true;
            run.wait_status = status;
            run.end_us = now_us();
        }
    }
    run.descendants = pid == 0;
}

static void begin_killing(uint8_t why)
{
    run.flags |= why;
    if (run.phase != KILLING)
        run.kill_us = run.reaped_us = now_us();
    if (!run.ended) /* the bulk of it at one stroke; later the group's number may belong to others */
        kill(-run.command, SIGKILL);
    run.phase = KILLING;
}

/*
 * The host has gone: nobody wants the answer, and the tree must not outlive the question. A detached execution stays, the
 * host will be back.
 */
static void abandon(void)
{
    close_fd(&run.connection);
    out_at = out_end = 0;
    if (!run.detached)
        begin_killing(EXIT_KILLED);
}

static void begin_draining(void)
{
    run.phase = DRAINING;
    close_fd(&run.input);
    for (int i = 0; i < 2; i++)
        if (run.output[i] < 0 || ioctl(run.output[i], FIONREAD, &run.to_drain[i]) < 0)
            run.to_drain[i] = 0;
}

/* While a frame waits for the socket the pipes are left alone: that is all the back-pressure there is. */
static bool reads(int stream)
{
    return out_end == 0 && (run.phase != DRAINING || run.to_drain[stream] > 0);
}

/* Reads a stream into a frame, or away once the answer has been given. */
static void read_output(int stream)
{
    if (run.output[stream] < 0 || !reads(stream))
        return;
    size_t room = OUTPUT_BYTES;
    if (run.phase == DRAINING && (size_t)run.to_drain[stream] < room)
        room = (size_t)run.to_drain[stream];
    ssize_t n = read(run.output[stream], out + HEADER_BYTES, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&run.output[stream]);
        run.to_drain[stream] = 0;
        return;
    }
    if (run.phase == DRAINING)
        run.to_drain[stream] -= (int)n;
    if (run.detached && run.phase != LINGERING)
        keep_output(stream, out + HEADER_BYTES, (size_t)n);
    if (run.detached || run.connection < 0)
        return;
    struct frame f;
    frame_begin(&f, out, sizeof out, stream == 0 ? FRAME_STDOUT : FRAME_STDERR);
    f.length += (size_t)n;
    frame_end(&f);
    queue(&f);
}

/*
 * One pass over the tree, and a reaping only when nothing runs any more (tree.h says why) or, so that what cannot be killed
 * does not keep its dead for ever, once in a while.
 */
static void kill_on(void)
{
    if (tree_kill_pass(NULL) == 0 || now_us() - run.reaped_us > KILL_PATIENCE_US) {
        run.reaped_us = now_us();
        reap();
    }
}

static bool killing(void) { return run.phase == KILLING || run.flags & EXIT_SURVIVORS; }

/* Moves the execution on as far as it goes without waiting. */
static void advance(void)
{
    flush_out();
    if (run.detached && run.connection >= 0 && out_end == 0) {
        keep_reader(run.connection, (uint64_t[]){NO_OUTPUT, NO_OUTPUT}); /* it has heard that the shell runs */
        run.connection = -1;
    }
    if (killing())
        kill_on();
    else
        reap();
    if (run.phase <= RUNNING && !run.ended && run.deadline_us != 0 && now_us() >= run.deadline_us) {
        begin_killing(EXIT_TIMED_OUT);
        kill_on();
    }
    if (run.phase == KILLING) {
        bool impatient = (run.connection >= 0 || run.detached) && now_us() - run.kill_us > KILL_PATIENCE_US;
        if (run.descendants && impatient)
            run.flags |= EXIT_SURVIVORS;
        if (!run.descendants || impatient)
            begin_draining();
    }
    if (run.phase == RUNNING && run.ended)
        begin_draining();
    if (run.phase == DRAINING && run.connection < 0 && !run.detached)
        run.phase = LINGERING;
    if (run.phase == DRAINING && out_end == 0 && run.to_drain[0] == 0 && run.to_drain[1] == 0) {
        size_t length = exit_frame();
        if (run.detached) {
            keep_end(out, length);
            run.phase = LINGERING;
        } else {
            run.phase = REPORTING;
            out_end = length;
            flush_out();
        }
    }
    if (run.phase == REPORTING && out_end == 0) {
        run.phase = LINGERING;
        close_fd(&run.connection);
    }
    if (run.detached)
        keep_flush();
}

/* ---- the host's frames ---- */

static void violate(const char *code, const char *detail)
{
    if (out_end == 0) /* never into the middle of a frame */
        send_error(run.connection, code, detail);
    abandon();
}

static void begin_frame(uint8_t type, uint32_t length)
{
    in_payload_left = length;
    switch (type) {
    case FRAME_STDIN:
        if (length > MAX_PAYLOAD)
            violate("bad_request", "STDIN is longer than 64 KiB");
        break;
    case FRAME_SIGNAL:
        if (length != 1)
            violate("bad_request", "SIGNAL is one byte");
        break;
    case FRAME_STDIN_EOF:
    case FRAME_KILL:
        if (length != 0)
            violate("bad_request", "the frame has no payload");
        else if (type == FRAME_STDIN_EOF)
            close_fd(&run.input);
        else if (!run.ended)
            begin_killing(EXIT_KILLED);
        break;
    default:
        violate("unknown_request", "the frame type is not known during an execution");
    }
}

static void read_control(void)
{
    bool in_frame = in_header_length == HEADER_BYTES;
    uint8_t *to = in_frame ? in : in_header + in_header_length;
    size_t room = in_frame ? sizeof in : HEADER_BYTES - in_header_length;
    if (in_frame && room > in_payload_left)
        room = in_payload_left;
    ssize_t n = recv(run.connection, to, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        abandon();
        return;
    }
    if (!in_frame) {
        in_header_length += (size_t)n;
        if (in_header_length == HEADER_BYTES)
            begin_frame(in_header[0], decode_u32(in_header + 1));
    } else {
        in_payload_left -= (uint32_t)n;
        if (in_header[0] == FRAME_STDIN)
            in_end = (size_t)n;
        else if (!run.ended && in[0] >= 1 && in[0] < NSIG)
            kill(-run.command, in[0]);
    }
    if (in_header_length == HEADER_BYTES && in_payload_left == 0)
        in_header_length = 0;
}

static void write_input(void)
{
    while (in_at < in_end && run.input >= 0) {
        ssize_t n = write(run.input, in + in_at, in_end - in_at);
        if (n > 0)
            in_at += (size_t)n;
        else if (errno == EAGAIN || errno == EINTR)
            return;
        else
            close_fd(&run.input); /* the command does not want it */
    }
    in_at = in_end = 0;
}

/* ---- the loop ---- */

static int patience_ms(void)
{
    if (killing())
        return now_us() - run.kill_us > KILL_PATIENCE_US ? KILL_PAUSE_LONG_MS : KILL_PAUSE_MS;
    if (run.phase > RUNNING || run.ended || run.deadline_us == 0)
        return -1;
    int64_t left_us = run.deadline_us - now_us();
    return left_us <= 0 ? 0 : (int)(left_us / 1000 < 1000000 ? left_us / 1000 + 1 : 1000000);
}

static void wait_and_serve(void)
{
    enum { SIGNALS, CONNECTION, OUTPUT, ERRORS, INPUT, CONTROL, READERS, COUNT = READERS + KEEP_READERS };
    struct pollfd p[COUNT] = {
        /* While killing, every death would wake us for another pass. */
        [SIGNALS] = {killing() ? -1 : run.signals, POLLIN, 0},
        [CONNECTION] = {run.connection, POLLRDHUP, 0},
        [OUTPUT] = {reads(0) ? run.output[0] : -1, POLLIN, 0},
        [ERRORS] = {reads(1) ? run.output[1] : -1, POLLIN, 0},
        [INPUT] = {in_at < in_end ? run.input : -1, POLLOUT, 0},
        [CONTROL] = {run.control, POLLIN, 0},
    };
    if (out_at < out_end)
        p[CONNECTION].events |= POLLOUT;
    if (in_at == in_end)
        p[CONNECTION].events |= POLLIN;
    keep_poll(p + READERS);
    if (poll(p, COUNT, patience_ms()) <= 0)
        return;
    if (keep_serve(p + READERS) && !run.ended && run.phase <= RUNNING)
        begin_killing(EXIT_KILLED);
    if (p[CONTROL].revents & POLLIN)
        run.forgotten |= keep_accept(run.control);
    struct signalfd_siginfo told;
    while (p[SIGNALS].revents && read(run.signals, &told, sizeof told) > 0) {
    }
    if (p[CONNECTION].revents & (POLLRDHUP | POLLHUP | POLLERR))
        abandon();
    else if (p[CONNECTION].revents & POLLIN)
        read_control();
    if (in_at < in_end)
        write_input();
    for (int i = 0; i < 2; i++) {
        int stream = i ^ run.turn;
        if (p[OUTPUT + stream].revents)
            read_output(stream);
    }
    run.turn ^= 1;
}

_Noreturn void supervise(const struct post *post)
{
    run.connection = post->connection;
    run.signals = post->signals;
    run.control = post->control;
    run.input = -1;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    if (!tree_open())
        refuse(run.connection, "no_resources", strerrordesc_np(errno));
    serve_request(post->listing);
    send_started();
    if (!run.detached)
        close_fd(&run.control);
    for (;;) {
        advance();
        if (run.phase == LINGERING && !run.descendants && (run.forgotten || !run.detached))
            _exit(0);
        wait_and_serve();
    }
}
