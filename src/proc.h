/*
 * proc - who a process is, beyond its pid: a pid means something only on one boot of one host
 * in one PID namespace, and only until it is given out again.
 */
#ifndef GROUPLOCK_PROC_H
#define GROUPLOCK_PROC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_BOOT_SIZE 40

struct proc_identity {
	char host[HOST_NAME_MAX + 1];
	char boot[PROC_BOOT_SIZE]; /* /proc/sys/kernel/random/boot_id; empty: unknown */
	uint64_t pidns;            /* inode of /proc/self/ns/pid; 0: unknown */
	pid_t pid;
	uint64_t start; /* of the process, in clock ticks since boot, proc(5) field 22; 0: unknown */
};

/* This process. What /proc does not tell stays unknown. */
void proc_self(struct proc_identity *self);

/*
 * Whether `pid` numbers of `them` mean the same here: same boot, same PID namespace. Only then
 * may a pid be looked up.
 */
bool proc_is_here(const struct proc_identity *them, const struct proc_identity *self);

/*
 * The start time and the state letter ('R', 'S', 'T' stopped ...) of a process of this PID
 * namespace; false if there is no such process or /proc does not show it.
 */
bool proc_stat(pid_t pid, uint64_t *start, char *state);

#endif
