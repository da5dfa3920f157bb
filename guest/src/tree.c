#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More processes than this are dealt with by the next pass. Untouched pages of the table cost nothing. */
enum { MAX_PROCESSES = 32768 };

static struct process {
    pid_t pid;
    pid_t parent;
    bool zombie;
    bool doomed;
} table[MAX_PROCESSES];

static int proc = -1;

bool tree_open(void)
{
    if (proc >= 0)
        close(proc);
    proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return proc >= 0;
}

static pid_t number(const char **at)
{
    pid_t value = 0;
    while (**at >= '0' && **at <= '9' && value < 100000000)
        value = value * 10 + (*(*at)++ - '0');
    return value;
}

/* Fills in state and parent from /proc/<name>/stat: `pid (any bytes) S ppid …`. */
static bool look_at(const char *name, struct process *p)
{
    char path[32], stat[512];
    size_t length = strlen(name);
    if (length > sizeof path - sizeof "/stat")
        return false;
    memcpy(path, name, length);
    memcpy(path + length, "/stat", sizeof "/stat");
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, stat, sizeof stat - 1);
    close(fd);
    if (n <= 0)
        return false;
    stat[n] = 0;
    const char *at = strrchr(stat, ')');
    if (at == NULL || strlen(at) < 5)
        return false;
    p->zombie = at[2] == 'Z' || at[2] == 'X';
    at += 4;
    p->parent = number(&at);
    return true;
}

/* /proc lists processes by ascending pid. */
static const struct process *find(pid_t pid, int count)
{
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (table[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low].pid == pid ? &table[low] : NULL;
}

/*
 * Kills `p` when its parent is doomed. The pid cannot have passed to a stranger since it was read unless a parent inside
 * the tree reaped it and the whole pid space went round within one pass.
 */
static bool doom(struct process *p, int count, bool (*spared)(pid_t child))
{
    if (p->parent == getpid()) {
        p->doomed = spared == NULL || !spared(p->pid);
    } else {
        const struct process *parent = find(p->parent, count);
        p->doomed = parent != NULL && parent->doomed;
    }
    /* Zombies too: the leader of a process may have ended before its other threads. */
    return p->doomed && kill(p->pid, SIGKILL) == 0 && !p->zombie;
}

int tree_kill_pass(bool (*spared)(pid_t child))
{
    static char entries[8192] __attribute__((aligned(8)));
    int count = 0, running = 0;
    ssize_t n;
    lseek(proc, 0, SEEK_SET);
    while (count < MAX_PROCESSES && (n = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < n && count < MAX_PROCESSES;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            const char *digits = entry->d_name;
            struct process *p = &table[count];
            at += entry->d_reclen;
            p->pid = number(&digits);
            if (p->pid <= 0 || *digits != 0 || !look_at(entry->d_name, p))
                continue;
            running += doom(p, count, spared);
            count++;
        }
    }
    /* Children with a smaller pid than their parent's, until nothing changes. */
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < count; i++) {
            if (table[i].doomed)
                continue;
            running += doom(&table[i], count, spared);
            changed |= table[i].doomed;
        }
    }
    return running;
}
