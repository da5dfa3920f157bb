/*
 * sandglass-guest: PID 1 of a sandbox. It reaps, keeps one idle connection to the host, and forks a supervisor for every
 * request that arrives on one. It reads nothing but signals: what the host sends is read by the supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"
#include "tree.h"
#include "wire.h"

#ifndef GUEST_VERSION
#define GUEST_VERSION "dev"
#endif

enum {
    MAX_SUPERVISORS = 4096,
    MAX_TOKEN = 128,
    RETRY_MIN_MS = 10,
    RETRY_MAX_MS = 1000,
    STRAY_PAUSE_MS = 2,
    STRAY_PAUSE_LONG_MS = 50,
    STRAY_PATIENCE_US = 1000000,
};

static const char *socket_path = "/.sandglass/host.sock";
static const char token_name[] = "SANDGLASS_TOKEN=";
static char token[MAX_TOKEN + 1];

/* A place keeps its number for as long as its supervisor lives; pid 0 is a free one. */
static struct {
    pid_t pid;
    int control;
} supervisors[MAX_SUPERVISORS];
static int supervisor_end; /* no place from here on is taken */
static struct listing *listings;

static int signals;
static int idle = -1;
static int64_t retry_us;
static int retry_ms = RETRY_MIN_MS;

static bool strays;
static int64_t strays_since_us, strays_reaped_us;

/* Takes the token out of the environment, and out of the memory in which /proc would show it. */
static void take_token(void)
{
    char **to = environ;
    for (char **from = environ; *from != NULL; from++) {
        if (strncmp(*from, token_name, sizeof token_name - 1) != 0) {
            *to++ = *from;
            continue;
        }
        const char *value = *from + sizeof token_name - 1;
        if (strlen(value) <= MAX_TOKEN)
            memcpy(token, value, strlen(value) + 1);
        explicit_bzero(*from, strlen(*from));
    }
    *to = NULL;
}

/* Needs a capability that sandboxes normally lack; commands then are still the first victims (supervise.c). */
static void survive_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "-1000", 5) != 5) { /* not permitted */
        }
        close(fd);
    }
}

/* ---- the idle connection ---- */

static bool hello(int fd)
{
    uint8_t bytes[HEADER_BYTES + 256];
    struct frame f;
    frame_begin(&f, bytes, sizeof bytes, FRAME_HELLO);
    frame_u16(&f, PROTOCOL_VERSION);
    frame_text(&f, GUEST_VERSION);
    frame_text(&f, token);
    frame_end(&f);
    bool sent = send(fd, bytes, f.length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)f.length;
    explicit_bzero(bytes, sizeof bytes);
    return sent;
}

static void offer(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) < sizeof address.sun_path)
        memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && hello(fd)) {
        idle = fd;
        return;
    }
    if (fd >= 0)
        close(fd);
    retry_us = now_us() + (int64_t)retry_ms * 1000;
    retry_ms = retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2 : RETRY_MAX_MS;
}

/* The host refused the connection or went away: without a pause this could go round and round. */
static void withdraw(void)
{
    close(idle);
    idle = -1;
    retry_us = now_us() + (int64_t)retry_ms * 1000;
    retry_ms = retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2 : RETRY_MAX_MS;
}

static int free_place(void)
{
    for (int i = 0; i < supervisor_end; i++)
        if (supervisors[i].pid == 0)
            return i;
    return supervisor_end < MAX_SUPERVISORS ? supervisor_end++ : -1;
}

int control_of(const char *id, size_t length)
{
    for (int i = 0; i < supervisor_end; i++) {
        const char *listed = listings[i].id;
        if (supervisors[i].pid != 0 && length > 0 && strlen(listed) == length && memcmp(listed, id, length) == 0)
            return supervisors[i].control;
    }
    return -1;
}

void close_controls(void)
{
    for (int i = 0; i < supervisor_end; i++)
        if (supervisors[i].pid != 0 && supervisors[i].control >= 0)
            close(supervisors[i].control);
}

static void hand_over(void)
{
    retry_ms = RETRY_MIN_MS;
    int place = free_place();
    int control[2] = {-1, -1};
    pid_t pid = -1;
    if (place >= 0) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control) < 0)
            control[0] = control[1] = -1; /* only a detached execution needs it */
        memset(&listings[place], 0, sizeof listings[place]);
        pid = fork();
    }
    if (pid == 0) {
        explicit_bzero(token, sizeof token);
        if (control[0] >= 0)
            close(control[0]);
        supervise(&(struct post){idle, signals, control[1], &listings[place]});
    }
    if (control[1] >= 0)
        close(control[1]);
    if (pid > 0) {
        supervisors[place].pid = pid;
        supervisors[place].control = control[0];
    } else {
        if (control[0] >= 0)
            close(control[0]);
        send_error(idle, "no_resources", "no process for the execution's supervisor");
    }
    close(idle);
    idle = -1;
    retry_us = 0;
}

/* ---- children ---- */

static int supervisor_index(pid_t pid)
{
    for (int i = 0; i < supervisor_end; i++)
        if (supervisors[i].pid == pid)
            return i;
    return -1;
}

static bool is_supervisor(pid_t pid) { return supervisor_index(pid) >= 0; }

/*
 * Supervisors stay until their last descendant has gone, so a child that is not one has lost its supervisor to a SIGKILL
 * from inside. A stopped supervisor is as good as a dead one: it would miss its deadline.
 */
static void reap(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0) {
        int i = supervisor_index(pid);
        if (i < 0)
            continue;
        if (WIFSTOPPED(status)) {
            kill(pid, SIGKILL);
            continue;
        }
        supervisors[i].pid = 0;
        if (supervisors[i].control >= 0)
            close(supervisors[i].control);
        while (supervisor_end > 0 && supervisors[supervisor_end - 1].pid == 0)
            supervisor_end--;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            strays = true;
            strays_since_us = strays_reaped_us = now_us();
        }
    }
}

/* As a supervisor kills its tree: passes without reaping until nothing runs. */
static void hunt_strays(void)
{
    bool gone = tree_kill_pass(is_supervisor) == 0;
    if (gone)
        strays = false;
    if (gone || now_us() - strays_reaped_us > STRAY_PATIENCE_US) {
        strays_reaped_us = now_us();
        reap(); /* finds strays again when another supervisor has died meanwhile */
    }
}

/* From inside, nobody can end PID 1; from outside (sender 0: another pid namespace) docker stop can, at once. */
static void handle_signals(void)
{
    struct signalfd_siginfo told;
    while (read(signals, &told, sizeof told) == sizeof told) {
        bool may = getpid() != 1 || told.ssi_pid == 0;
        if ((told.ssi_signo == SIGTERM || told.ssi_signo == SIGINT) && may) {
            if (getpid() != 1) /* the kernel does it when PID 1 exits */
                while (tree_kill_pass(NULL) > 0)
                    poll(NULL, 0, STRAY_PAUSE_MS);
            _exit(0);
        }
    }
}

static int patience_ms(void)
{
    if (strays)
        return now_us() - strays_since_us > STRAY_PATIENCE_US ? STRAY_PAUSE_LONG_MS : STRAY_PAUSE_MS;
    if (idle >= 0)
        return -1;
    int64_t left_us = retry_us - now_us();
    return left_us <= 0 ? 0 : (int)(left_us / 1000) + 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--hold") == 0) /* the namespaces of a container that others join */
        for (;;)
            pause();
    if (argc > 1)
        socket_path = argv[1];
    prctl(PR_SET_DUMPABLE, 0); /* before the token is anywhere but in the environment */
    take_token();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* for a guest that is not PID 1 */
    survive_oom();
    int null;
    while ((null = open("/dev/null", O_RDWR)) >= 0 && null <= 2) { /* 0, 1 and 2 must never become a socket */
    }
    close(null);
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    listings = mmap(NULL, sizeof *listings * MAX_SUPERVISORS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (signals < 0 || listings == MAP_FAILED || !tree_open())
        return 1;
    for (;;) {
        if (strays)
            hunt_strays();
        else
            reap();
        if (idle < 0 && now_us() >= retry_us)
            offer();
        struct pollfd p[] = {{signals, POLLIN, 0}, {idle, POLLIN | POLLRDHUP, 0}};
        if (poll(p, 2, patience_ms()) <= 0)
            continue;
        if (p[0].revents)
            handle_signals();
        if (p[1].revents & (POLLRDHUP | POLLHUP | POLLERR))
            withdraw();
        else if (p[1].revents & POLLIN)
            hand_over();
    }
}
