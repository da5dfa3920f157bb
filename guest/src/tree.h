/* Finding and killing process trees through /proc. */
#ifndef SANDGLASS_TREE_H
#define SANDGLASS_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens /proc for the passes of this process. A child that inherits it must open its own: the two would share the position
 * in the directory, and each would see only a part of the processes.
 */
bool tree_open(void);

/*
 * One pass: sends SIGKILL to every process whose chain of parents leads to this process through one of its children for
 * which `spared` (may be NULL) is false. Returns how many of them still ran when they were looked at; zombies do not count.
 *
 * Repeat until it returns 0, and do not reap in between: a zombie keeps its place under the pids limit, so a fork bomb
 * that has reached the limit cannot grow into the room made by those already killed.
 */
int tree_kill_pass(bool (*spared)(pid_t child));

#endif
