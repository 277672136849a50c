/*
 * bound - the process that a claim lasts as long as.
 */
#ifndef GROUPLOCK_BOUND_H
#define GROUPLOCK_BOUND_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct bound {
	pid_t pid; /* 0: no process */
	int pidfd; /* close-on-exec, 3 or above; -1 with pid 0 */
};

/* Opens process `pid`. -1 with a reason: there is none, it has ended, or pidfds are not supported. */
int bound_open(struct bound *bound, pid_t pid, struct error *err);

/*
 * Opens the process that calls: the parent, or, where that is a subshell, the shell that reads what is printed
 * to stdout. Blocks for two milliseconds then, at most two seconds if the shells around are busy. Also -1 if the caller has ended, or is in an outer PID namespace: init, or whoever else has
 * adopted this process, is not the caller.
 */
int bound_open_caller(struct bound *bound, struct error *err);

void bound_close(struct bound *bound);

/* Whether it has ended. */
int bound_has_ended(const struct bound *bound);

#endif
