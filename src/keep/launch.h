/*
 * launch - turn this process into the command, holding what it holds.
 *
 * It knows nothing of files and locks: only descriptors to keep, variables to set, and arguments.
 */
#ifndef GROUPLOCK_LAUNCH_H
#define GROUPLOCK_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "base/error.h"
#include "keep/keeper.h"

#define LAUNCH_FIRST_FD 100 /* scripts use 3 to 9 for themselves, and shells 10 and up */

/* Exit statuses of a failure, as the shell and env(1) have them. */
#define LAUNCH_FAILED 125
#define LAUNCH_CANNOT_EXECUTE 126
#define LAUNCH_NOT_FOUND 127

struct launch {
	char *const *argv; /* the command, from argv[0] to NULL */
	int *fds;          /* that hold; replaced by their new numbers */
	size_t fd_count;
	struct keeper_task
		keeper; /* pidfd, marks and title are the caller's; pidfd -1: no keeper */
	void (*before_exec)(void *arg); /* the last call before the exec */
	void *arg;
};

/*
 * Refuses a count of fds for which launch() has no room under `limit`, the soft limit on open files,
 * whatever else is open. To be asked before anything is waited for; launch() itself may still find
 * that there is no room.
 */
int launch_check_fds(size_t count, rlim_t limit, struct error *err);

/*
 * Moves the fds to LAUNCH_FIRST_FD and up and makes them inheritable, the only place that does;
 * starts the keeper; execs argv with the environment of this process, looked up in PATH. Does not
 * return unless that failed: then with the exit status that says so, and err.
 */
int launch(struct launch *launch, struct error *err);

#endif
