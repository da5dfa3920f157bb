/*
 * Plays the host: starts a guest on a socket of its own and checks over the real protocol what README.md promises.
 * usage: check <guest binary> [seed]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

#define TOKEN "check-token-5f1c"
/*
 * Every background process of a test carries a mark, `7654.<number>`, so that what is left of it can be counted. In commands
 * and searches 7654 is replaced by a number of this run's own: two runs on one machine do not see each other.
 */
#define MARK "7654"

enum { PATIENCE_MS = 20000, KEEP = 1 << 16 };

static const char *guest_binary;
static char directory[] = "/tmp/sandglass-check-XXXXXX";
static char socket_path[64];
static int listener = -1;
static pid_t guest;
static int checks;
static const char *test_name;

#define CHECK(condition, ...)                                                        \
    do {                                                                             \
        checks++;                                                                    \
        if (!(condition)) {                                                          \
            fprintf(stderr, "FAILED %s: %s (line %d): ", test_name, #condition, __LINE__); \
            fprintf(stderr, __VA_ARGS__);                                            \
            fputc('\n', stderr);                                                     \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void own_marks(char *to, size_t capacity, const char *text)
{
    size_t at = 0;
    for (; *text != 0 && at < capacity - 16; text++)
        if (strncmp(text, MARK, strlen(MARK)) == 0) {
            at += (size_t)sprintf(to + at, "7%07d", getpid());
            text += strlen(MARK) - 1;
        } else {
            to[at++] = *text;
        }
    to[at] = 0;
}

static void pause_ms(int ms) { poll(NULL, 0, ms); }

/* ---- host side ---- */

static void host_listen(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, socket_path);
    unlink(socket_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "%s", strerror(errno));
    chmod(socket_path, 0666);
    CHECK(listen(listener, 16) == 0, "%s", strerror(errno));
}

static void guest_start(uid_t uid, rlim_t processes)
{
    guest = fork();
    CHECK(guest >= 0, "fork");
    if (guest == 0) {
        if (processes > 0)
            setrlimit(RLIMIT_NPROC, &(struct rlimit){processes, processes});
        if (uid != 0 && setuid(uid) < 0)
            _exit(99);
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* a failed check leaves no guest behind */
        setenv("SANDGLASS_TOKEN", TOKEN, 1);
        setenv("INHERITED", "yes", 1);
        setenv("OVERRIDDEN", "no", 1);
        unsetenv("HOME");
        execl(guest_binary, guest_binary, socket_path, NULL);
        _exit(98);
    }
}

static bool read_fully(int fd, void *to, size_t length)
{
    for (uint8_t *at = to; length > 0;) {
        struct pollfd p = {fd, POLLIN, 0};
        CHECK(poll(&p, 1, PATIENCE_MS) == 1, "no answer within %d ms", PATIENCE_MS);
        ssize_t n = read(fd, at, length);
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

/* The guest's next idle connection, its HELLO read and checked. */
static int next_connection(void)
{
    struct pollfd p = {listener, POLLIN, 0};
    CHECK(poll(&p, 1, PATIENCE_MS) == 1, "the guest offers no connection");
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0, "accept");
    uint8_t header[HEADER_BYTES], payload[256];
    CHECK(read_fully(fd, header, sizeof header), "no HELLO");
    uint32_t length = decode_u32(header + 1);
    CHECK(header[0] == FRAME_HELLO && length <= sizeof payload && read_fully(fd, payload, length), "no HELLO");
    struct fields in = {payload, payload + length, false};
    CHECK(read_u16(&in) == PROTOCOL_VERSION, "version");
    struct text version = read_text(&in), token = read_text(&in);
    CHECK(version.length > 0, "guest version");
    CHECK(token.length == strlen(TOKEN) && memcmp(token.at, TOKEN, token.length) == 0, "token %.*s", (int)token.length, token.at);
    CHECK(!in.bad && in.at == in.end, "HELLO has just these fields");
    return fd;
}

static void send_bytes(int fd, const void *bytes, size_t length)
{
    for (const uint8_t *at = bytes; length > 0;) {
        ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        at += n;
        length -= (size_t)n;
    }
}

static void send_frame(int fd, uint8_t type, const void *payload, uint32_t length)
{
    uint8_t header[HEADER_BYTES] = {type, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    send_bytes(fd, header, sizeof header);
    send_bytes(fd, payload, length);
}

struct options {
    uint32_t timeout_ms;
    const char *workdir;
    bool wants_stdin;
    const char *detached; /* the execution id; NULL: attached */
    const char *env[8]; /* name, value, … */
};

static size_t run_frame(uint8_t *bytes, size_t capacity, const char *command, struct options o)
{
    struct frame f;
    uint16_t count = 0;
    while (count < 4 && o.env[2 * count] != NULL)
        count++;
    frame_begin(&f, bytes, capacity, FRAME_RUN);
    frame_text(&f, o.detached == NULL ? "exe_check" : o.detached);
    static char marked_command[MAX_REQUEST];
    own_marks(marked_command, sizeof marked_command, command);
    frame_text(&f, marked_command);
    frame_text(&f, o.workdir == NULL ? "" : o.workdir);
    frame_u32(&f, o.timeout_ms);
    frame_u8(&f, (uint8_t)((o.wants_stdin ? RUN_STDIN : 0) | (o.detached != NULL ? RUN_DETACHED : 0)));
    frame_u16(&f, count);
    for (int i = 0; i < 2 * count; i++)
        frame_text(&f, o.env[i]);
    frame_end(&f);
    return f.length;
}

static int start_with(const char *command, struct options o)
{
    static uint8_t bytes[MAX_REQUEST + HEADER_BYTES];
    int fd = next_connection();
    send_bytes(fd, bytes, run_frame(bytes, sizeof bytes, command, o));
    return fd;
}

struct outcome {
    char end; /* 'X', 'F' or 0: the connection ended without either */
    int started;
    uint8_t status, flags, signal;
    uint64_t duration_us, cpu_us, rss;
    size_t out_length, err_length;
    char out[KEEP + 1], err[KEEP + 1];
    char code[64];
};

static void keep(char *to, size_t *length, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++, (*length)++)
        if (*length < KEEP)
            to[*length] = (char)bytes[i];
    to[*length < KEEP ? *length : KEEP] = 0;
}

static struct outcome *collect(int fd)
{
    static struct outcome o;
    static uint8_t payload[MAX_PAYLOAD];
    uint8_t header[HEADER_BYTES];
    memset(&o, 0, offsetof(struct outcome, out));
    o.out[0] = o.err[0] = o.code[0] = 0;
    while (o.end == 0 && read_fully(fd, header, sizeof header)) {
        uint32_t length = decode_u32(header + 1);
        CHECK(length <= MAX_PAYLOAD, "frame of %u bytes", length);
        if (!read_fully(fd, payload, length))
            break;
        struct fields in = {payload, payload + length, false};
        if (header[0] != FRAME_STARTED && header[0] != FRAME_ERROR)
            CHECK(o.started == 1, "%c before STARTED", header[0]);
        switch (header[0]) {
        case FRAME_STARTED:
            o.started++;
            CHECK(read_u32(&in) > 1 && in.at == in.end, "pid");
            break;
        case FRAME_STDOUT:
            keep(o.out, &o.out_length, payload, length);
            break;
        case FRAME_STDERR:
            keep(o.err, &o.err_length, payload, length);
            break;
        case FRAME_EXIT:
            o.status = read_u8(&in);
            o.flags = read_u8(&in);
            o.signal = read_u8(&in);
            o.duration_us = read_u64(&in);
            o.cpu_us = read_u64(&in);
            o.rss = read_u64(&in);
            CHECK(!in.bad && in.at == in.end, "EXIT");
            o.end = 'X';
            break;
        case FRAME_ERROR: {
            struct text code = read_text(&in), detail = read_text(&in);
            CHECK(!in.bad && in.at == in.end && code.length < sizeof o.code && detail.length > 0, "ERROR");
            memcpy(o.code, code.at, code.length);
            o.code[code.length] = 0;
            o.end = 'F';
            break;
        }
        default:
            CHECK(false, "frame type %d", header[0]);
        }
    }
    if (o.end != 0)
        CHECK(!read_fully(fd, header, 1), "bytes after the last frame");
    close(fd);
    return &o;
}

static struct outcome *run_with(const char *command, struct options options) { return collect(start_with(command, options)); }
static struct outcome *run(const char *command) { return run_with(command, (struct options){.timeout_ms = PATIENCE_MS}); }

/* ---- what /proc shows ---- */

static int slurp(const char *path, char *to, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int length = 0;
    ssize_t n;
    while ((size_t)length < capacity - 1 && (n = read(fd, to + length, capacity - 1 - (size_t)length)) > 0)
        length += (int)n;
    close(fd);
    to[length] = 0;
    return length;
}

static long proc_value(pid_t pid, const char *file, const char *key)
{
    char path[64], text[8192];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    if (slurp(path, text, sizeof text) < 0)
        return -1;
    const char *at = strstr(text, key);
    return at == NULL ? -1 : strtol(at + strlen(key), NULL, 10);
}

/* Processes with `mark` in their command line, or with `exactly` this command line; each gets `signal_number` if that is not 0. */
static int count_processes(const char *mark, bool exactly, int signal_number)
{
    int count = 0;
    char marker[256];
    own_marks(marker, sizeof marker, mark);
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], text[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int n = entry->d_name[0] < '1' || entry->d_name[0] > '9' ? -1 : slurp(path, text, sizeof text);
        for (int i = 0; i < n - 1; i++)
            if (text[i] == 0)
                text[i] = ' ';
        const char *found = n > 0 ? strstr(text, marker) : NULL;
        bool exact = found != NULL && strcmp(found, marker) == 0 && (found == text || (found == text + 5 && memcmp(text, "/bin/", 5) == 0));
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (found == NULL || !(exact || !exactly) || pid == getpid())
            continue;
        count++;
        if (signal_number != 0)
            kill(pid, signal_number);
    }
    closedir(proc);
    return count;
}

static int marked(const char *marker) { return count_processes(marker, false, 0); }
static void end_marked(const char *marker) { count_processes(marker, false, SIGKILL); }

static bool eventually_counted(const char *marker, bool exactly, int expected)
{
    for (double until = now() + PATIENCE_MS / 1000.0; now() < until; pause_ms(5))
        if (count_processes(marker, exactly, 0) == expected)
            return true;
    return false;
}

static bool eventually_gone(const char *marker) { return eventually_counted(marker, false, 0); }
static bool eventually_runs(const char *command, int processes) { return eventually_counted(command, true, processes); }

/* Children of the guest, zombies or not. */
static int children(char state)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], text[512];
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || slurp(path, text, sizeof text) <= 0)
            continue;
        char *at = strrchr(text, ')');
        if (at != NULL && strtol(at + 4, NULL, 10) == guest && (state == 0 || at[2] == state))
            count++;
    }
    closedir(proc);
    return count;
}

static bool eventually_childless(void)
{
    for (double until = now() + PATIENCE_MS / 1000.0; now() < until; pause_ms(5))
        if (children(0) == 0)
            return true;
    return false;
}

/* ---- tests ---- */

static void exit_codes(void)
{
    int codes[] = {0, 1, 7, 124, 127, 255};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char command[32];
        snprintf(command, sizeof command, "exit %d", codes[i]);
        struct outcome *o = run(command);
        CHECK(o->end == 'X' && o->status == codes[i] && o->flags == 0 && o->signal == 0, "%c %d %d", o->end, o->status, o->flags);
    }
    struct outcome *o = run("/nonexistent/tool");
    CHECK(o->end == 'X' && o->status == 127 && o->err_length > 0, "the shell's own 127 is an exit code: %d", o->status);
    int signal_numbers[] = {SIGTERM, SIGKILL, SIGSEGV, SIGPIPE};
    for (size_t i = 0; i < sizeof signal_numbers / sizeof *signal_numbers; i++) {
        char command[32];
        snprintf(command, sizeof command, "kill -%d $$", signal_numbers[i]);
        o = run(command);
        CHECK(o->end == 'X' && o->status == 128 + signal_numbers[i] && o->flags == EXIT_SIGNALLED && o->signal == signal_numbers[i],
              "%d %d %d", o->status, o->flags, o->signal);
    }
}

static void streams_and_environment(void)
{
    struct outcome *o = run("echo out; echo err >&2; echo out2");
    CHECK(strcmp(o->out, "out\nout2\n") == 0 && strcmp(o->err, "err\n") == 0, "%s %s", o->out, o->err);
    o = run("printf '%s' \"$INHERITED $OVERRIDDEN $HOME\"; env | grep -c SANDGLASS >&2");
    CHECK(strcmp(o->out, geteuid() == 0 ? "yes no /root" : "yes no /") == 0 && strcmp(o->err, "0\n") == 0, "%s|%s", o->out, o->err);
    o = run_with("printf '%s' \"$OVERRIDDEN|$NEW|$EMPTY|$HOME\"; pwd >&2",
                 (struct options){.workdir = "/usr", .env = {"OVERRIDDEN", "a=b", "NEW", "x y", "EMPTY", "", "HOME", "/h"}});
    CHECK(strcmp(o->out, "a=b|x y||/h") == 0 && strcmp(o->err, "/usr\n") == 0, "%s %s", o->out, o->err);
    o = run("ls /proc/self/fd | tr '\\n' ' '; ls -l /proc/self/fd/0 >&2");
    CHECK(strcmp(o->out, "0 1 2 3 ") == 0 && strstr(o->err, "/dev/null") != NULL, "leaked descriptors: %s %s", o->out, o->err);
    o = run("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\n\\t'");
    CHECK(strcmp(o->out, "SigBlk:0000000000000000SigIgn:0000000000000000") == 0, "%s", o->out);
    o = run("cat /proc/self/oom_score_adj");
    CHECK(strcmp(o->out, "500\n") == 0, "%s", o->out);
    o = run("-c");
    CHECK(o->end == 'X' && o->status == 127, "a command that looks like an option is still a command: %d", o->status);
    o = run("");
    CHECK(o->end == 'X' && o->status == 0, "empty: %d", o->status);
    o = run("i=0; while [ $i -lt 1000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done");
    char expected[KEEP], *at = expected;
    for (int i = 0; i < 1000; i++)
        at += sprintf(at, "o%d\n", i);
    CHECK(strcmp(o->out, expected) == 0 && o->out_length == o->err_length, "interleaved streams stay in order");
    CHECK(o->cpu_us > 0 && o->rss > 0 && o->duration_us > 0, "usage");
}

static void failures_are_not_exit_codes(void)
{
    struct outcome *o = run_with("true", (struct options){.workdir = "/nonexistent"});
    CHECK(o->end == 'F' && strcmp(o->code, "workdir_unavailable") == 0 && o->started == 0, "%c %s", o->end, o->code);
    o = run_with("true", (struct options){.workdir = "/etc/passwd"});
    CHECK(o->end == 'F' && strcmp(o->code, "workdir_unavailable") == 0, "%c %s", o->end, o->code);
    char *huge = malloc(200001); /* one argument may have 128 KiB */
    memset(huge, ' ', 200000);
    huge[200000] = 0;
    o = run(huge);
    CHECK(o->end == 'F' && strcmp(o->code, "cannot_exec") == 0, "%c %s", o->end, o->code);
    huge[120000] = 0;
    o = run(huge);
    CHECK(o->end == 'X' && o->status == 0, "%c %s", o->end, o->code);
    free(huge);
    int fd = next_connection();
    send_frame(fd, 'Z', "later", 5);
    o = collect(fd);
    CHECK(o->end == 'F' && strcmp(o->code, "unknown_request") == 0, "%c %s", o->end, o->code);
    fd = next_connection();
    send_frame(fd, FRAME_RUN, "", 0);
    o = collect(fd);
    CHECK(o->end == 'F' && strcmp(o->code, "bad_request") == 0, "%c %s", o->end, o->code);
    fd = next_connection();
    send_bytes(fd, (uint8_t[]){FRAME_RUN, 0xff, 0xff, 0xff, 0xff}, 5);
    o = collect(fd);
    CHECK(o->end == 'F' && strcmp(o->code, "bad_request") == 0, "%c %s", o->end, o->code);
    o = run_with("true", (struct options){.env = {"A=B", "c"}});
    CHECK(o->end == 'F' && strcmp(o->code, "bad_request") == 0, "%c %s", o->end, o->code);
}

/* Children, grandchildren, own sessions, double forks, cleared environments. */
enum { TREE_SLEEPS = 6 }; /* and the test's own */
#define TREE(mark)                                                                                                  \
    "sleep " mark " & setsid sleep " mark " & (sleep " mark " &) & setsid sh -c '(env -i setsid /bin/sleep " mark   \
    " &) & sleep " mark "' & env -i /bin/sh -c 'setsid /bin/sleep " mark " & wait' & "

static void timeouts(void)
{
    double begun = now();
    struct outcome *o = run_with("echo before; " TREE("7654.1") "sleep 7654.1", (struct options){.timeout_ms = 300});
    CHECK(o->end == 'X' && o->status == 124 && (o->flags & EXIT_TIMED_OUT) && strcmp(o->out, "before\n") == 0, "%d %d", o->status, o->flags);
    CHECK(marked("7654.1") == 0, "%d left", marked("7654.1"));
    CHECK(now() - begun < 2.3, "took %f", now() - begun);
    CHECK(o->duration_us >= 300000, "%lu", (unsigned long)o->duration_us);
    o = run_with("trap '' TERM INT HUP; exec 1>&- 2>&-; while :; do :; done", (struct options){.timeout_ms = 100});
    CHECK(o->end == 'X' && o->status == 124, "%c %d", o->end, o->status);
    o = run_with("kill -STOP $$", (struct options){.timeout_ms = 100});
    CHECK(o->end == 'X' && o->status == 124, "a stopped command: %c %d", o->end, o->status);
    o = run_with("yes", (struct options){.timeout_ms = 200});
    CHECK(o->end == 'X' && o->status == 124 && o->out_length > 0, "a flood: %c %d", o->end, o->status);
    o = run_with("exec >&- 2>&-; sleep 0.1; exit 9", (struct options){.timeout_ms = PATIENCE_MS});
    CHECK(o->end == 'X' && o->status == 9, "closed streams: %c %d", o->end, o->status);
}

static void many_timeouts_at_once(void)
{
    int fds[20];
    for (int i = 0; i < 20; i++)
        fds[i] = start_with(TREE("7654.20") "sleep 7654.20", (struct options){.timeout_ms = 500});
    for (int i = 0; i < 20; i++) {
        struct outcome *o = collect(fds[i]);
        CHECK(o->end == 'X' && o->status == 124 && !(o->flags & EXIT_SURVIVORS), "%c %d %d", o->end, o->status, o->flags);
    }
    CHECK(marked("7654.20") == 0, "%d left", marked("7654.20"));
}

static void aborts(void)
{
    int fd = start_with(TREE("7654.2") "sleep 7654.2", (struct options){0});
    CHECK(eventually_runs("sleep 7654.2", TREE_SLEEPS + 1), "%d", marked("7654.2"));
    send_frame(fd, FRAME_KILL, "", 0);
    struct outcome *o = collect(fd);
    CHECK(o->end == 'X' && o->status == 137 && (o->flags & EXIT_KILLED), "%c %d %d", o->end, o->status, o->flags);
    CHECK(marked("7654.2") == 0, "%d left", marked("7654.2"));

    fd = start_with(TREE("7654.3") "sleep 7654.3", (struct options){0});
    CHECK(eventually_runs("sleep 7654.3", TREE_SLEEPS + 1), "%d", marked("7654.3"));
    close(fd);
    CHECK(eventually_gone("7654.3"), "%d left after the connection was lost", marked("7654.3"));

    fd = start_with("trap 'exit 5' INT; echo ready; while :; do sleep 0.01; done", (struct options){0});
    uint8_t bytes[HEADER_BYTES + 4 + HEADER_BYTES + 6];
    CHECK(read_fully(fd, bytes, sizeof bytes), "STARTED and `ready`");
    send_frame(fd, FRAME_SIGNAL, (uint8_t[]){SIGINT}, 1);
    uint8_t header[HEADER_BYTES], payload[27];
    CHECK(read_fully(fd, header, sizeof header) && header[0] == FRAME_EXIT && read_fully(fd, payload, sizeof payload), "EXIT");
    CHECK(payload[0] == 5, "status %d", payload[0]);
    close(fd);

    fd = start_with("sleep 7654.4", (struct options){0});
    CHECK(eventually_runs("sleep 7654.4", 1), "started");
    send_frame(fd, 'Z', "", 0);
    o = collect(fd);
    CHECK(o->end == 'F' && strcmp(o->code, "unknown_request") == 0, "%c %s", o->end, o->code);
    CHECK(eventually_gone("7654.4"), "an unknown frame ends the execution");
}

static void background_processes_stay(void)
{
    double begun = now();
    struct outcome *o = run("sleep 7654.5 & (setsid sh -c 'while :; do echo tick; sleep 0.01; done' tick-7654.6 &) ; echo done; exit 3");
    CHECK(o->end == 'X' && o->status == 3 && strstr(o->out, "done\n") != NULL, "%c %d %s", o->end, o->status, o->out);
    CHECK(now() - begun < 2, "the answer waited for the daemons: %f", now() - begun);
    o = run("(yes 7654.7 &); exit 4");
    CHECK(o->end == 'X' && o->status == 4, "a flooding daemon does not hold the answer: %c %d", o->end, o->status);
    pause_ms(200); /* were a pipe closed or not read on, the daemon would die of it or stop */
    CHECK(marked("sleep 7654.5") == 1, "daemon");
    CHECK(marked("tick-7654.6") >= 1, "talking daemon"); /* two while it forks */
    CHECK(marked("yes 7654.7") == 1, "flooding daemon");
    end_marked("yes 7654.7");
    end_marked("tick-7654.6");
    end_marked("sleep 7654.5");
    CHECK(eventually_childless(), "supervisors end with their last descendant");
}

static void back_pressure(void)
{
    int fd = start_with("head -c 60000000 /dev/zero; echo end >&2", (struct options){0});
    pause_ms(300);
    CHECK(marked("head -c 60000000") >= 1, "the command waits for a reader that does not read");
    struct outcome *o = collect(fd);
    CHECK(o->end == 'X' && o->status == 0 && o->out_length == 60000000 && strcmp(o->err, "end\n") == 0, "%zu", o->out_length);
    /* the timeout works while nobody reads */
    fd = start_with("yes 7654.8", (struct options){.timeout_ms = 200});
    CHECK(eventually_runs("yes 7654.8", 1), "started");
    CHECK(eventually_gone("yes 7654.8"), "killed although its output is stuck");
    o = collect(fd);
    CHECK(o->end == 'X' && o->status == 124, "%c %d", o->end, o->status);
}

static void standard_input(void)
{
    int fd = start_with("wc -c", (struct options){.wants_stdin = true});
    static uint8_t block[MAX_PAYLOAD];
    for (int i = 0; i < 32; i++)
        send_frame(fd, FRAME_STDIN, block, sizeof block);
    send_frame(fd, FRAME_STDIN, block, 0);
    send_frame(fd, FRAME_STDIN, block, 3);
    send_frame(fd, FRAME_STDIN_EOF, "", 0);
    struct outcome *o = collect(fd);
    CHECK(o->end == 'X' && o->status == 0 && strtol(o->out, NULL, 10) == 32 * MAX_PAYLOAD + 3, "%s", o->out);
    fd = start_with("exec <&-; exit 6", (struct options){.wants_stdin = true});
    send_frame(fd, FRAME_STDIN, block, sizeof block);
    o = collect(fd);
    CHECK(o->end == 'X' && o->status == 6, "unwanted input: %c %d", o->end, o->status);
    fd = start_with("sleep 7654.9", (struct options){.wants_stdin = true});
    send_frame(fd, FRAME_STDIN, block, sizeof block);
    send_frame(fd, FRAME_STDIN, block, sizeof block);
    CHECK(eventually_runs("sleep 7654.9", 1), "started");
    close(fd);
    CHECK(eventually_gone("7654.9"), "a lost host is noticed while input waits");
}

/* ---- detached executions ---- */

struct totals {
    uint64_t seen[2], kept[2];
    bool ended;
};

static uint8_t next_frame(int fd, uint8_t *payload, uint32_t *length)
{
    uint8_t header[HEADER_BYTES];
    if (!read_fully(fd, header, sizeof header))
        return 0;
    *length = decode_u32(header + 1);
    CHECK(*length <= MAX_PAYLOAD, "frame of %u bytes", *length);
    return read_fully(fd, payload, *length) ? header[0] : 0;
}

static struct totals read_totals(int fd)
{
    static uint8_t payload[MAX_PAYLOAD];
    uint32_t length;
    uint8_t type = next_frame(fd, payload, &length);
    CHECK(type == FRAME_TOTALS && length == 33, "%c instead of TOTALS: %.40s", type, payload);
    struct fields in = {payload, payload + length, false};
    struct totals t;
    for (int i = 0; i < 2; i++) {
        t.seen[i] = read_u64(&in);
        t.kept[i] = read_u64(&in);
    }
    t.ended = read_u8(&in) == 1;
    return t;
}

/* Starts it and hangs up as soon as it runs. */
static void start_detached(const char *id, const char *command, uint32_t timeout_ms)
{
    int fd = start_with(command, (struct options){.timeout_ms = timeout_ms, .detached = id});
    uint8_t payload[64];
    uint32_t length;
    CHECK(next_frame(fd, payload, &length) == FRAME_STARTED, "STARTED");
    close(fd);
}

static int attach(const char *id, uint64_t out, uint64_t err)
{
    uint8_t bytes[256];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_ATTACH);
    frame_text(&f, id);
    frame_u64(&f, out);
    frame_u64(&f, err);
    frame_end(&f);
    int fd = next_connection();
    send_bytes(fd, bytes, f.length);
    return fd;
}

struct kept_outcome {
    struct totals first, last;
    size_t length[2];
    char out[KEEP + 1];
    uint8_t status, flags;
    bool ended;
};

static struct kept_outcome *follow(int fd)
{
    static struct kept_outcome o;
    static uint8_t payload[MAX_PAYLOAD];
    uint32_t length;
    memset(&o, 0, sizeof o);
    o.first = read_totals(fd);
    for (uint8_t type; (type = next_frame(fd, payload, &length)) != 0;) {
        if (type == FRAME_STDOUT) {
            keep(o.out, &o.length[0], payload, length);
        } else if (type == FRAME_STDERR) {
            o.length[1] += length;
        } else if (type == FRAME_TOTALS) {
            struct fields in = {payload, payload + length, false};
            for (int i = 0; i < 2; i++) {
                o.last.seen[i] = read_u64(&in);
                o.last.kept[i] = read_u64(&in);
            }
        } else {
            CHECK(type == FRAME_EXIT, "%c", type);
            o.status = payload[0];
            o.flags = payload[1];
            o.ended = true;
        }
    }
    close(fd);
    return &o;
}

static void expect_unknown(const char *id)
{
    uint8_t payload[MAX_PAYLOAD];
    uint32_t length;
    int fd = attach(id, 0, 0);
    CHECK(next_frame(fd, payload, &length) == FRAME_ERROR && memcmp(payload + 4, "unknown_execution", 17) == 0, "%s", id);
    close(fd);
}

static void forget(const char *id)
{
    uint8_t bytes[256], payload[MAX_PAYLOAD];
    uint32_t length;
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_FORGET);
    frame_text(&f, id);
    frame_end(&f);
    int fd = next_connection();
    send_bytes(fd, bytes, f.length);
    CHECK(next_frame(fd, payload, &length) == 0, "answered by closing");
    close(fd);
    for (double since = now(); now() - since < 10; pause_ms(20)) {
        fd = attach(id, 0, 0);
        bool gone = next_frame(fd, payload, &length) == FRAME_ERROR;
        close(fd);
        if (gone)
            return;
    }
    CHECK(false, "%s stays", id);
}

static void detached_executions(void)
{
    start_detached("exe_a", "echo one; echo oops >&2; sleep 0.3; echo two; exit 7", 0);
    struct kept_outcome *o = follow(attach("exe_a", 0, 0));
    CHECK(o->ended && o->status == 7 && o->flags == 0, "%d %d", o->status, o->flags);
    CHECK(strcmp(o->out, "one\ntwo\n") == 0 && o->length[1] == 5, "%s", o->out);
    CHECK(o->last.seen[0] == 8 && o->last.kept[1] == 5, "totals");
    o = follow(attach("exe_a", 4, UINT64_MAX)); /* again, from the middle of it, after its end */
    CHECK(o->ended && o->first.ended && o->status == 7 && strcmp(o->out, "two\n") == 0 && o->length[1] == 0, "%s", o->out);
    uint8_t payload[MAX_PAYLOAD];
    uint32_t length;
    int fd = attach("exe_a", 9, 0);
    CHECK(next_frame(fd, payload, &length) == FRAME_ERROR, "an offset beyond the output");
    close(fd);
    forget("exe_a");
    expect_unknown("exe_a");
    expect_unknown("exe_never");
    expect_unknown("");

    /* Two at a time, and several who read the same, one of whom never reads. */
    start_detached("exe_b", "sleep 7654.31; true", 0);
    start_detached("exe_c", "yes | head -c 30000000; exit 3", 0);
    int silent = attach("exe_c", 0, 0);
    o = follow(attach("exe_c", 0, 0));
    CHECK(o->ended && o->status == 3, "%d", o->status);
    CHECK(o->length[0] == 10 * 1024 * 1024 && o->last.kept[0] == o->length[0] && o->last.seen[0] == 30000000, "%zu", o->length[0]);
    close(silent);
    CHECK(eventually_runs("sleep 7654.31", 1), "b runs");
    fd = attach("exe_b", UINT64_MAX, UINT64_MAX);
    send_frame(fd, FRAME_KILL, "", 0);
    o = follow(fd);
    CHECK(o->ended && o->status == 137 && o->flags & EXIT_KILLED, "%d %d", o->status, o->flags);
    CHECK(eventually_gone("7654.31"), "killed");
    forget("exe_b");
    forget("exe_c");

    start_detached("exe_d", TREE("7654.32") "sleep 7654.32", 300);
    o = follow(attach("exe_d", 0, 0));
    CHECK(o->ended && o->status == 124 && o->flags & EXIT_TIMED_OUT, "%d %d", o->status, o->flags);
    CHECK(eventually_gone("7654.32"), "timed out");
    forget("exe_d");

    /* A supervisor that is killed from inside takes its code with it. */
    start_detached("exe_e", "sleep 0.2; kill -KILL $PPID; sleep 7654.33", 0);
    o = follow(attach("exe_e", 0, 0));
    CHECK(!o->ended, "a code out of nothing");
    CHECK(eventually_gone("7654.33"), "strays");

    fd = start_with("true", (struct options){.detached = "exe_f", .wants_stdin = true});
    CHECK(collect(fd)->end == 'F', "input and detached");
    fd = start_with("true", (struct options){.detached = "exe_f", .workdir = "/nonexistent"});
    CHECK(collect(fd)->end == 'F', "it cannot start");
    expect_unknown("exe_f");
}

static void hostile_to_its_supervisor(void)
{
    struct outcome *o = run(TREE("7654.11") "kill -KILL $PPID; sleep 7654.11");
    CHECK(o->end == 0, "no answer is invented: %c", o->end);
    CHECK(eventually_gone("7654.11"), "%d strays left", marked("7654.11"));
    o = run(TREE("7654.12") "kill -STOP $PPID; sleep 7654.12");
    CHECK(o->end == 0, "no answer is invented: %c", o->end);
    CHECK(eventually_gone("7654.12"), "%d strays left", marked("7654.12"));
    o = run("kill -TERM $PPID; kill -INT $PPID; kill -SEGV $PPID; exit 8");
    CHECK(o->end == 'X' ? o->status == 8 : o->end == 0, "%c %d", o->end, o->status);
    o = run("sleep 7654.13 & exit 0");
    CHECK(o->end == 'X', "a daemon of another execution");
    o = run("kill -KILL $PPID");
    CHECK(o->end == 0, "%c", o->end);
    CHECK(eventually_runs("sleep 7654.13", 1), "is not a stray");
    end_marked("sleep 7654.13");
    CHECK(eventually_childless(), "end");
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

/* ---- files ---- */

static char here[128]; /* a directory of the running test's own */

static const char *in_here(const char *name)
{
    static char paths[4][5000];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", here, name);
    return path;
}

static void fresh_directory(const char *name)
{
    char command[512];
    snprintf(here, sizeof here, "%s/%s", directory, name);
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", here, here);
    CHECK(system(command) == 0, "%s", command);
}

static void end_directory(void)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf %s", here);
    CHECK(system(command) == 0, "%s", command);
}

static int entries_here(void)
{
    int count = -2;
    DIR *d = opendir(here);
    while (readdir(d) != NULL)
        count++;
    closedir(d);
    return count;
}

static int ask_file(uint8_t type, const char *path, uint64_t most)
{
    static uint8_t bytes[8192];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, (enum frame_type)type);
    frame_text(&f, path);
    frame_u64(&f, most);
    frame_end(&f);
    int fd = next_connection();
    send_bytes(fd, bytes, f.length);
    return fd;
}

struct file_answer {
    char end; /* 'e', 'F' or 0 */
    bool ready;
    uint64_t size, count, data, modified_ms;
    uint32_t sum; /* of the bytes that came */
    bool more;
    int entries;
    char code[64], first[300], last[300], text[4096];
};

static uint32_t sum_on(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

/* Reads frames up to the first READY, or to the end of the answer. */
static void hear(int fd, struct file_answer *a, bool to_ready)
{
    static uint8_t payload[MAX_PAYLOAD];
    uint8_t header[HEADER_BYTES];
    while (a->end == 0 && !(to_ready && a->ready) && read_fully(fd, header, sizeof header)) {
        uint32_t length = decode_u32(header + 1);
        CHECK(length <= MAX_PAYLOAD && read_fully(fd, payload, length), "payload");
        struct fields in = {payload, payload + length, false};
        if (header[0] == FRAME_READY) {
            CHECK(!a->ready && (length == 0 || length == 8), "READY");
            a->ready = true;
            a->size = length == 0 ? 0 : read_u64(&in);
        } else if (header[0] == FRAME_DATA) {
            CHECK(a->ready && length > 0, "DATA");
            if (a->data + length < sizeof a->text)
                memcpy(a->text + a->data, payload, length);
            a->data += length;
            a->sum = sum_on(a->sum, payload, length);
        } else if (header[0] == FRAME_ENTRY) {
            read_u8(&in);
            read_u64(&in);
            CHECK(read_u16(&in) <= 07777, "mode");
            a->modified_ms = read_u64(&in);
            struct text name = read_text(&in);
            CHECK(!in.bad && in.at == in.end && name.length > 0 && name.length < sizeof a->last, "ENTRY");
            memcpy(a->last, name.at, name.length);
            a->last[name.length] = 0;
            if (a->entries++ == 0)
                strcpy(a->first, a->last);
        } else if (header[0] == FRAME_END) {
            a->count = read_u64(&in);
            a->more = length == 9 && read_u8(&in);
            CHECK(!in.bad && in.at == in.end, "END");
            a->end = 'e';
        } else {
            CHECK(header[0] == FRAME_ERROR, "frame type %d", header[0]);
            struct text code = read_text(&in), detail = read_text(&in);
            CHECK(!in.bad && in.at == in.end && code.length < sizeof a->code && detail.length > 0, "ERROR");
            memcpy(a->code, code.at, code.length);
            a->end = 'F';
        }
    }
}

static struct file_answer *answer_of(int fd)
{
    static struct file_answer a;
    memset(&a, 0, sizeof a);
    a.sum = 2166136261u;
    hear(fd, &a, false);
    close(fd);
    return &a;
}

static struct file_answer *download(const char *path) { return answer_of(ask_file(FRAME_DOWNLOAD, path, 100000000)); }

static struct file_answer *list_after(const char *path, const char *after, uint32_t most)
{
    static uint8_t bytes[16384];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_LIST);
    frame_text(&f, path);
    frame_text(&f, after);
    frame_u32(&f, most);
    frame_end(&f);
    int fd = next_connection();
    send_bytes(fd, bytes, f.length);
    return answer_of(fd);
}

/* A connection on which the guest is ready for the content, or has refused; see `end`. */
static int begin_upload(const char *path, uint64_t most, struct file_answer *a)
{
    int fd = ask_file(FRAME_UPLOAD, path, most);
    memset(a, 0, sizeof *a);
    hear(fd, a, true);
    return fd;
}

static void send_end(int fd, uint64_t count)
{
    uint8_t bytes[HEADER_BYTES + 8];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_END);
    frame_u64(&f, count);
    frame_end(&f);
    send_bytes(fd, bytes, f.length);
}

static struct file_answer *upload(const char *path, const char *content)
{
    static struct file_answer a;
    int fd = begin_upload(path, 1000000, &a);
    if (a.end == 0) {
        if (*content != 0)
            send_frame(fd, FRAME_DATA, content, (uint32_t)strlen(content));
        send_end(fd, strlen(content));
        hear(fd, &a, false);
    }
    close(fd);
    return &a;
}

static bool holds(const char *path, const char *content)
{
    char text[4096];
    return slurp(path, text, sizeof text) == (int)strlen(content) && strcmp(text, content) == 0;
}

static bool refused(const struct file_answer *a, const char *code)
{
    bool as_told = a->end == 'F' && strcmp(a->code, code) == 0;
    if (!as_told)
        fprintf(stderr, "  got %c %s\n", a->end == 0 ? '0' : a->end, a->code);
    return as_told;
}

static void files_go_in_and_out(void)
{
    fresh_directory("in-out");
    CHECK(upload(in_here("a/b/\xc3\xbc c/new"), "hello")->count == 5, "new");
    CHECK(holds(in_here("a/b/\xc3\xbc c/new"), "hello"), "content");
    struct stat st;
    CHECK(stat(in_here("a/b/\xc3\xbc c/new"), &st) == 0 && (st.st_mode & 0777) == 0644 && st.st_nlink == 1, "mode %o", st.st_mode);
    chmod(in_here("a/b/\xc3\xbc c/new"), 0751);
    CHECK(upload(in_here("a//b/./\xc3\xbc c/new"), "")->end == 'e' && holds(in_here("a/b/\xc3\xbc c/new"), ""), "replaced by nothing");
    CHECK(stat(in_here("a/b/\xc3\xbc c/new"), &st) == 0 && (st.st_mode & 0777) == 0751, "the mode stays: %o", st.st_mode);
    struct file_answer *a = download(in_here("a/b/\xc3\xbc c/new"));
    CHECK(a->end == 'e' && a->size == 0 && a->data == 0, "empty");

    static uint8_t block[MAX_PAYLOAD];
    uint32_t state = 1, sum = 2166136261u;
    struct file_answer u;
    int fd = begin_upload(in_here("large"), 5000000, &u);
    CHECK(u.ready, "%s", u.code);
    for (int left = 5000000; left > 0;) {
        uint32_t length = left < MAX_PAYLOAD ? (uint32_t)left : MAX_PAYLOAD;
        for (uint32_t i = 0; i < length; i++)
            block[i] = (uint8_t)next_random(&state);
        sum = sum_on(sum, block, length);
        send_frame(fd, FRAME_DATA, block, length);
        left -= (int)length;
    }
    send_end(fd, 5000000);
    hear(fd, &u, false);
    close(fd);
    CHECK(u.end == 'e' && u.count == 5000000, "%s", u.code);
    a = download(in_here("large"));
    CHECK(a->end == 'e' && a->size == 5000000 && a->data == 5000000 && a->count == 5000000 && a->sum == sum, "%s", a->code);

    /* links are followed as a program would follow them, and stay */
    CHECK(symlink("a", in_here("link")) == 0 && symlink("link/b/target", in_here("file-link")) == 0, "symlink");
    CHECK(upload(in_here("file-link"), "through")->end == 'e' && holds(in_here("a/b/target"), "through"), "through links");
    CHECK(lstat(in_here("file-link"), &st) == 0 && S_ISLNK(st.st_mode), "the link stays");
    CHECK(download(in_here("file-link"))->data == 7, "through a link");
    CHECK(symlink("loop", in_here("loop")) == 0 && refused(upload(in_here("loop"), "x"), "invalid_path"), "loop");
    CHECK(refused(download(in_here("loop")), "invalid_path"), "loop");
    end_directory();
}

static void files_that_are_refused(void)
{
    fresh_directory("refused");
    CHECK(mkdir(in_here("dir"), 0755) == 0 && mkfifo(in_here("fifo"), 0644) == 0 && upload(in_here("file"), "x")->end == 'e', "made");
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, in_here("socket"), sizeof address.sun_path - 1);
    CHECK(bind(listening, (struct sockaddr *)&address, sizeof address) == 0, "socket");
    CHECK(refused(upload(in_here("dir"), "x"), "is_directory") && refused(download(in_here("dir")), "is_directory"), "directory");
    CHECK(refused(upload("/", "x"), "is_directory") && refused(download("/"), "is_directory"), "root");
    CHECK(refused(upload(in_here("dir/"), "x"), "is_directory") && refused(upload(in_here("dir/.."), "x"), "is_directory"), "directory");
    CHECK(refused(upload(in_here("fifo"), "x"), "not_a_file") && refused(download(in_here("fifo")), "not_a_file"), "fifo");
    CHECK(refused(upload(in_here("socket"), "x"), "not_a_file") && refused(download(in_here("socket")), "not_a_file"), "socket");
    CHECK(refused(upload("/dev/null", "x"), "not_a_file") && refused(download("/dev/zero"), "not_a_file"), "device");
    CHECK(refused(upload(in_here("file/x"), "x"), "invalid_path") && refused(download(in_here("file/x")), "invalid_path"), "below a file");
    CHECK(refused(upload(in_here("fifo/x/y"), "x"), "invalid_path"), "below a fifo");
    CHECK(refused(download(in_here("none")), "not_found") && refused(download(in_here("no/such")), "not_found"), "missing");
    CHECK(refused(upload("/proc/none", "x"), "not_found") || geteuid() != 0, "proc takes no files");
    char long_name[400];
    memset(long_name, 'n', sizeof long_name);
    memcpy(long_name, "new/", 4);
    long_name[300] = 0;
    CHECK(refused(upload(in_here(long_name), "x"), "invalid_path") && refused(download(in_here(long_name + 4)), "invalid_path"), "name");
    char deep[4097];
    int at = snprintf(deep, sizeof deep, "%s", here);
    while (at < 4096 - 11)
        at += sprintf(deep + at, "/%s", "ten-letter");
    at += sprintf(deep + at, "/");
    memset(deep + at, 'x', (size_t)(4096 - at));
    deep[4096] = 0;
    CHECK(upload(deep, "deep")->end == 'e' && download(deep)->data == 4, "a path of 4096 bytes");
    CHECK(refused(upload("relative", "x"), "bad_request") && refused(download(""), "bad_request"), "relative");
    CHECK(truncate(in_here("file"), (off_t)1 << 40) == 0 && refused(download(in_here("file")), "too_large"), "sparse");
    struct file_answer *a = download("/proc/self/status");
    CHECK(a->end == 'e' && a->size == a->data && a->data > 100 && strstr(a->text, "State:") != NULL, "proc: %s", a->code);
    CHECK(refused(download("/proc/kallsyms"), "too_large") || access("/proc/kallsyms", R_OK) < 0, "large and without a size");
    CHECK(download("/proc/self/environ")->end != 0 && memmem(a->text, sizeof a->text, TOKEN, strlen(TOKEN)) == NULL, "the token");
    CHECK(download("/proc/self/mem")->end == 'F', "memory");
    close(listening);
    end_directory();
}

static void broken_uploads_leave_nothing(void)
{
    fresh_directory("broken");
    static uint8_t block[MAX_PAYLOAD];
    struct file_answer a;
    for (int way = 0; way < 7; way++) {
        int fd = begin_upload(in_here(way % 2 == 0 ? "file" : "new/dir/file"), MAX_PAYLOAD + 10, &a);
        CHECK(a.ready && a.end == 0, "%s", a.code);
        send_frame(fd, FRAME_DATA, block, sizeof block);
        if (way == 1)
            send_bytes(fd, (uint8_t[]){FRAME_DATA, 0, 0, 0, 9, 'h', 'a', 'l', 'f'}, 9);
        else if (way == 2)
            send_end(fd, sizeof block - 1);
        else if (way == 3)
            send_frame(fd, FRAME_DATA, block, 11);
        else if (way == 4)
            send_frame(fd, FRAME_DATA, block, 0);
        else if (way == 5)
            send_frame(fd, FRAME_RUN, block, 4);
        else if (way == 6)
            send_bytes(fd, (uint8_t[]){FRAME_DATA, 0xff, 0xff, 0xff, 0xff}, 5);
        if (way < 2) {
            shutdown(fd, SHUT_WR);
            CHECK(answer_of(fd)->end == 0, "way %d", way);
        } else {
            CHECK(refused(answer_of(fd), way == 3 ? "too_large" : "bad_request"), "way %d", way);
        }
        CHECK(eventually_childless() && entries_here() == 0, "way %d left something", way);
    }
    CHECK(upload(in_here("file"), "old")->end == 'e', "old");
    int fd = begin_upload(in_here("file"), 100, &a);
    send_frame(fd, FRAME_DATA, "new", 3);
    close(fd);
    CHECK(eventually_childless() && holds(in_here("file"), "old") && entries_here() == 1, "the old one stays");
    fd = begin_upload(in_here("file"), 100, &a);
    unlink(in_here("file"));
    CHECK(mkdir(in_here("file"), 0755) == 0, "meanwhile");
    send_end(fd, 0);
    CHECK(refused(answer_of(fd), "is_directory") && entries_here() == 1, "a directory came between");
    end_directory();
}

static void directories(void)
{
    fresh_directory("list");
    for (int i = 0; i < 2500; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%04d", (i * 1237) % 2500);
        int fd = open(in_here(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        CHECK(fd >= 0, "%s", name);
        close(fd);
    }
    struct file_answer *a = list_after(here, "", 1000);
    CHECK(a->end == 'e' && a->entries == 1000 && a->count == 1000 && a->more, "%s %d", a->code, a->entries);
    CHECK(strcmp(a->first, "n0000") == 0 && strcmp(a->last, "n0999") == 0, "%s %s", a->first, a->last);
    CHECK(a->modified_ms / 1000 + 60 > (uint64_t)time(NULL) && a->modified_ms / 1000 <= (uint64_t)time(NULL), "time");
    a = list_after(here, "n1999", 1000);
    CHECK(a->entries == 500 && !a->more && strcmp(a->first, "n2000") == 0 && strcmp(a->last, "n2499") == 0, "%s %s", a->first, a->last);
    a = list_after(here, "n0007", 1);
    CHECK(a->entries == 1 && a->more && strcmp(a->first, "n0008") == 0, "%s", a->first);
    CHECK(list_after(here, "n2499", 5)->entries == 0, "after the last");
    CHECK(refused(list_after(here, "", 0), "bad_request") && refused(list_after(here, "", 1001), "bad_request"), "limits");
    CHECK(refused(list_after(in_here("n0000"), "", 5), "not_a_directory"), "a file");
    CHECK(refused(list_after(in_here("none"), "", 5), "not_found") && refused(list_after(in_here("none/below"), "", 5), "not_found"), "none");
    CHECK(list_after("/", "", 1000)->entries > 3 && list_after("/proc/", "", 1000)->entries > 10, "others");
    end_directory();
}

/* The target is a file, a link out and a directory in quick succession: every answer is definite, and nothing else is hit. */
static void races(void)
{
    fresh_directory("races");
    char outside[200];
    snprintf(outside, sizeof outside, "%s/outside", directory);
    int fd = open(outside, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, "canary", 6) == 6, "canary");
    close(fd);
    pid_t swapper = fork();
    if (swapper == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            unlink(in_here("x"));
            mkdir(in_here("x"), 0755);
            rmdir(in_here("x"));
            mkfifo(in_here("x"), 0644);
            unlink(in_here("x"));
            symlink("y", in_here("x"));
            unlink(in_here("x"));
        }
    }
    int done = 0;
    for (int i = 0; i < 300; i++) {
        CHECK(upload(in_here("x"), "payload")->end != 0, "an upload without an answer");
        struct file_answer *a = download(in_here("x"));
        CHECK(a->end == 'F' || (a->end == 'e' && a->data == 7), "%c %lu", a->end, (unsigned long)a->data);
        done += a->end == 'e';
    }
    kill(swapper, SIGKILL);
    waitpid(swapper, NULL, 0);
    printf("  %d of 300 downloads found a file\n", done);
    CHECK(holds(outside, "canary"), "canary");
    unlink(outside);
    CHECK(eventually_childless() && entries_here() <= 2, "%d entries are left", entries_here());
    end_directory();
}

static void fuzz(uint32_t seed)
{
    uint32_t state = seed;
    printf("  fuzz seed %u\n", seed);
    int next = next_connection();
    for (int round = 0; round < 1500; round++) {
        static uint8_t bytes[4096];
        size_t length = run_frame(bytes, sizeof bytes, "true", (struct options){.timeout_ms = 50, .workdir = "/", .env = {"A", "b", "C", "d"}});
        if (round % 3 == 0) {
            length = next_random(&state) % 200;
            for (size_t i = 0; i < length; i++)
                bytes[i] = (uint8_t)next_random(&state);
            if (round % 2 == 0 && length > 4)
                memcpy(bytes, (uint8_t[]){(uint8_t)"RUDL"[next_random(&state) % 4], 0, 0, 0}, 4);
        } else {
            /* not into the command text: the fuzz is of frames, not of the shell */
            for (uint32_t n = 1 + next_random(&state) % 4; n > 0; n--) {
                size_t at = next_random(&state) % length;
                if (at < 18 || at > 26)
                    bytes[at] = (uint8_t)next_random(&state);
            }
            if (round % 5 == 0)
                length -= next_random(&state) % length;
            else if (round % 5 == 1)
                for (uint32_t n = next_random(&state) % 300; n > 0; n--)
                    bytes[length++] = (uint8_t)next_random(&state);
        }
        int fd = next;
        send_bytes(fd, bytes, length == 0 ? 1 : length);
        next = next_connection(); /* so a supervisor has this one */
        shutdown(fd, SHUT_WR);
        static uint8_t answer[4096];
        while (read_fully(fd, answer, 1)) {
        }
        close(fd);
        int status;
        CHECK(waitpid(guest, &status, WNOHANG) == 0, "round %d: the guest ended with %x", round, status);
    }
    close(next);
    CHECK(run("echo alive")->status == 0, "alive");
    CHECK(eventually_childless(), "no supervisor left");
}

static void many(void)
{
    double begun = now();
    for (int i = 0; i < 200; i++) {
        struct outcome *o = run("exit 42");
        CHECK(o->end == 'X' && o->status == 42, "run %d: %c %d", i, o->end, o->status);
    }
    printf("  200 in a row: %.2f ms each\n", (now() - begun) * 5);
    int fds[200];
    for (int i = 0; i < 200; i++) {
        char command[64];
        snprintf(command, sizeof command, "sleep 0.2; echo %d; exit %d", i, i);
        fds[i] = start_with(command, (struct options){0});
    }
    for (int i = 0; i < 200; i++) {
        struct outcome *o = collect(fds[i]);
        CHECK(o->end == 'X' && o->status == i && strtol(o->out, NULL, 10) == i, "%d: %c %d", i, o->end, o->status);
    }
    CHECK(eventually_childless(), "supervisors gone");
    CHECK(children('Z') == 0, "zombies");
}

static void zombies_are_reaped(void)
{
    CHECK(run("i=0; while [ $i -lt 50 ]; do (true & ) ; i=$((i+1)); done; sleep 0.3 &")->end == 'X', "run");
    CHECK(eventually_childless(), "%d children, %d zombies", children(0), children('Z'));
}

static void host_restart(void)
{
    int running = start_with("sleep 7654.14", (struct options){0});
    CHECK(eventually_runs("sleep 7654.14", 1), "started");
    int idle = next_connection();
    close(listener);
    close(idle);
    close(running);
    unlink(socket_path);
    CHECK(eventually_gone("7654.14"), "what ran for the old host ends");
    long before = proc_value(guest, "status", "voluntary_ctxt_switches:");
    pause_ms(1500);
    long wakeups = proc_value(guest, "status", "voluntary_ctxt_switches:") - before;
    CHECK(wakeups < 20, "%ld wake-ups in 1.5 s without a host", wakeups);
    host_listen();
    double begun = now();
    CHECK(run("exit 11")->status == 11, "after the restart");
    CHECK(now() - begun < 1.5, "reconnected after %f s", now() - begun);
}

static void quiet_when_idle(void)
{
    int fd = next_connection();
    pause_ms(100);
    long before = proc_value(guest, "status", "voluntary_ctxt_switches:");
    pause_ms(1000);
    CHECK(proc_value(guest, "status", "voluntary_ctxt_switches:") == before, "woke up");
    printf("  idle: Rss %ld kB, Pss %ld kB, Private_Dirty %ld kB\n", proc_value(guest, "smaps_rollup", "Rss:"),
           proc_value(guest, "smaps_rollup", "Pss:"), proc_value(guest, "smaps_rollup", "Private_Dirty:"));
    if (strstr(guest_binary, "sanitized") == NULL)
        CHECK(proc_value(guest, "smaps_rollup", "Rss:") <= 1024, "resident memory");
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/environ", guest);
    int n = slurp(path, text, sizeof text);
    CHECK(n > 0 && memmem(text, (size_t)n, TOKEN, strlen(TOKEN)) == NULL, "the token can be read in %s (%d bytes)", path, n);
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/fd", guest);
    CHECK(geteuid() == 0 || stat(path, &st) != 0 || st.st_uid == 0, "dumpable");
    send_frame(fd, FRAME_RUN, "", 0);
    CHECK(collect(fd)->end == 'F', "the connection was kept");
}

static void terminate_guest(void)
{
    int fds[10];
    for (int i = 0; i < 10; i++)
        fds[i] = start_with(TREE("7654.15") "sleep 7654.15", (struct options){0});
    CHECK(eventually_runs("sleep 7654.15", 10 * (TREE_SLEEPS + 1)), "%d", marked("7654.15"));
    for (int i = 0; i < 10; i++)
        close(fds[i]); /* so that supervisors kill while the guest does */
    double begun = now();
    kill(guest, SIGTERM);
    int status;
    CHECK(waitpid(guest, &status, 0) == guest && WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    CHECK(now() - begun < 1, "took %f", now() - begun);
    CHECK(eventually_gone("7654.15"), "%d left", marked("7654.15"));
}

/* Grows without end; with `apart`, every process in a session of its own. */
static _Noreturn void bomb(bool apart)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;)
        if (fork() == 0 && apart)
            setsid();
}

/* Never is the same process for long, and never has a parent for long. */
static _Noreturn void runner(void)
{
    for (int i = 0; i < 8; i++)
        if (fork() == 0)
            for (;;)
                if (fork() > 0)
                    _exit(0);
    for (;;)
        pause();
}

/* Takes every process that is to be had, says so, and keeps them. */
static _Noreturn void filler(void)
{
    pid_t child;
    do
        child = fork();
    while (child > 0);
    if (child < 0)
        puts("full");
    fflush(stdout);
    for (;;)
        pause();
}

static void survives(const char *name, const char *command)
{
    double begun = now();
    struct outcome *o = run_with(command, (struct options){.timeout_ms = 700});
    printf("  %s: answered after %.0f ms of 700, flags %d\n", name, (now() - begun) * 1000, o->flags);
    CHECK(o->end == 'X' && o->status == 124, "%s: %c %d %s %s", name, o->end, o->status, o->code, o->err);
    /* The bomb and whatever else this machine does take their share of the processor: a generous limit. */
    CHECK(now() - begun < PATIENCE_MS / 1000.0, "%s took %f", name, now() - begun);
    CHECK(eventually_childless(), "%d children left", children(0));
}

/* Under a limit of processes (counted per user: it takes root to give the guest one of its own). */
static void fork_bombs(const char *self)
{
    if (geteuid() != 0) {
        printf("  SKIPPED: needs root\n");
        return;
    }
    char copy[128], command[512];
    snprintf(copy, sizeof copy, "%s/bomb", directory); /* where any user may run it */
    snprintf(command, sizeof command, "cp %s %s && chmod 755 %s", self, copy, copy);
    CHECK(system(command) == 0, "%s", command);
    guest_start(61000 + (uid_t)getpid() % 4000, 200); /* nobody else's, another run of this check included */
    snprintf(command, sizeof command, "exec %s --bomb", copy);
    survives("bomb", command);
    snprintf(command, sizeof command, "exec %s --bomb-apart", copy);
    survives("bomb of sessions", command);
    snprintf(command, sizeof command, "exec %s --runner", copy);
    survives("runner", command);
    snprintf(command, sizeof command, "%s --bomb-apart & kill -KILL $PPID; exec %s --runner", copy, copy);
    CHECK(run(command)->end == 0, "the supervisor was killed");
    double begun = now();
    CHECK(eventually_childless(), "%d children left", children(0));
    printf("  bomb without a supervisor: gone after %.0f ms\n", (now() - begun) * 1000);
    snprintf(command, sizeof command, "exec %s --fill 7654.17", copy);
    int full = start_with(command, (struct options){0});
    static uint8_t payload[MAX_PAYLOAD];
    uint32_t length;
    CHECK(next_frame(full, payload, &length) == FRAME_STARTED && next_frame(full, payload, &length) == FRAME_STDOUT, "filled");
    struct outcome *o = run("true");
    CHECK(o->end == 'F' && strcmp(o->code, "no_resources") == 0, "no process left for it: %c %s", o->end, o->code);
    kill(guest, SIGTERM);
    int status;
    CHECK(waitpid(guest, &status, 0) == guest && WIFEXITED(status), "%x", status);
    CHECK(eventually_gone("7654.17"), "left");
    close(full);
    unlink(copy);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bomb") == 0)
        bomb(false);
    if (argc > 1 && strcmp(argv[1], "--bomb-apart") == 0)
        bomb(true);
    if (argc > 1 && strcmp(argv[1], "--runner") == 0)
        runner();
    if (argc > 1 && strcmp(argv[1], "--fill") == 0)
        filler();
    test_name = "start";
    guest_binary = argc > 1 ? argv[1] : "build/sandglass-guest";
    uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 20250731;
    signal(SIGPIPE, SIG_IGN);
    CHECK(mkdtemp(directory) != NULL && chmod(directory, 0711) == 0, "mkdtemp");
    snprintf(socket_path, sizeof socket_path, "%s/host.sock", directory);
    host_listen();
    guest_start(0, 0);
    struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        {"exit codes and signals", exit_codes},
        {"streams and environment", streams_and_environment},
        {"failures are not exit codes", failures_are_not_exit_codes},
        {"timeouts", timeouts},
        {"many timeouts at once", many_timeouts_at_once},
        {"aborts", aborts},
        {"background processes stay", background_processes_stay},
        {"back-pressure", back_pressure},
        {"standard input", standard_input},
        {"detached executions", detached_executions},
        {"a command hostile to its supervisor", hostile_to_its_supervisor},
        {"files go in and out", files_go_in_and_out},
        {"files that are refused", files_that_are_refused},
        {"broken uploads leave nothing", broken_uploads_leave_nothing},
        {"directories", directories},
        {"races", races},
        {"many", many},
        {"zombies are reaped", zombies_are_reaped},
        {"host restart", host_restart},
        {"quiet when idle", quiet_when_idle},
    };
    printf("%s\n", guest_binary);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        test_name = tests[i].name;
        double begun = now();
        tests[i].test();
        printf("ok %s (%.1f s)\n", test_name, now() - begun);
        fflush(stdout);
    }
    test_name = "fuzz";
    double fuzz_begun = now();
    fuzz(seed);
    printf("ok fuzz (%.1f s)\n", now() - fuzz_begun);
    test_name = "SIGTERM";
    terminate_guest();
    printf("ok SIGTERM\n");
    if (listener >= 0) { /* drop what the old guest had offered */
        close(listener);
        host_listen();
    }
    test_name = "fork bombs";
    fork_bombs(argv[0]);
    printf("ok fork bombs\n");
    unlink(socket_path);
    rmdir(directory);
    printf("%d checks passed\n", checks);
    return 0;
}
