/*
 * proc - who a process is, beyond its pid: a pid means something only on one boot of one host
 * in one PID namespace, and only until it is given out again.
 */
#ifndef GROUPLOCK_PROC_H
#define GROUPLOCK_PROC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define PROC_BOOT_SIZE 40

struct proc_identity {
	char host[HOST_NAME_MAX + 1];
	char boot[PROC_BOOT_SIZE]; /* /proc/sys/kernel/random/boot_id; empty: unknown */
	uint64_t pidns;            /* number of /proc/self/ns/pid, namespaces(7); 0: unknown */
	uint64_t timens; /* of /proc/self/ns/time, by whose clock `start` is; 0: the initial one */
	pid_t pid;
	uint64_t
		start; /* of the process, in clock ticks since boot, proc(5) field 22; 0: unknown */
};

/* Another process of this PID namespace: as proc_self(), with its pid and start time. */
void proc_other(struct proc_identity *other, const struct proc_identity *self, pid_t pid);

/* This process. What /proc does not tell stays unknown. */
void proc_self(struct proc_identity *self);

/*
 * Whether their pid means something here: same boot, same PID namespace, and a start time, by the clock
 * of the same time namespace, to tell it from a later process of the same number. Only then may it be
 * looked up.
 */
bool proc_is_here(const struct proc_identity *them, const struct proc_identity *self);

/*
 * All are about a process that is or was here. The others are false where that cannot be known.
 *
 * proc_can_tell: whether proc_has_ended() knows.
 * proc_has_ended: it is gone or a zombie, or its pid is another's by now. A process whose first
 * thread has ended while others run has not.
 * proc_is_stopped: by a signal or a debugger.
 */
bool proc_can_tell(const struct proc_identity *them, const struct proc_identity *self);
bool proc_has_ended(const struct proc_identity *them, const struct proc_identity *self);
bool proc_is_stopped(const struct proc_identity *them, const struct proc_identity *self);

/*
 * How often it has gone to sleep, if it is asleep, or frozen, which looks alike; 0 if it is not, or is not
 * shown. The same number twice: it has slept ever since.
 */
uint64_t proc_sleeps(pid_t pid);

/* The parent of a process of this PID namespace; 0 if it is not shown. */
pid_t proc_parent(pid_t pid);

/*
 * This process, its parent, the parent of that and so on, as far as they are shown: at most `max` of them into
 * `pids`. Returns how many. One that has ended has none below it: whom it leaves behind is another's child.
 */
unsigned proc_ancestors(pid_t *pids, unsigned max);

/* Its state as proc(5) has it, 'S' asleep and so on; 0 if it is not shown. */
char proc_state(pid_t pid);

/*
 * Reads what file `name` of /proc/PID says, up to size - 1 bytes of it, which may hold NULs, and puts a
 * NUL behind it. Returns how many bytes that is, -1 with errno if it cannot be read.
 */
ssize_t proc_read(pid_t pid, const char *name, char *out, size_t size);

/*
 * Its command line, a stranger's bytes with blanks between arguments; the name of a process that has none,
 * such as a zombie; empty if neither can be read.
 */
void proc_command(pid_t pid, char *out, size_t size);

/* An open descriptor: entry `name` of the directory /proc/PID/fd, open as `fds`. True ends the look. */
typedef bool proc_see_fd(void *arg, int fds, const char *name);

/*
 * Shows `see` the open descriptors of a process, one after the other. Returns 1 if it has ended the look, 0 if
 * there is no more to see, and -1 with errno if they cannot be seen: EACCES, ENOENT ...
 */
int proc_each_fd(pid_t pid, proc_see_fd *see, void *arg);

/* Whether that descriptor is of `file`. May block if it is of a file on a server that does not answer. */
bool proc_is_file(int fds, const char *name, const struct stat *file);

#endif
