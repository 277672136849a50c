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

#define LAUNCH_FIRST_FD 100 /* scripts use 3 to 9 for themselves, and shells 10 and up */

/* Exit statuses of a failure, as the shell and env(1) have them. */
#define LAUNCH_FAILED 125
#define LAUNCH_CANNOT_EXECUTE 126
#define LAUNCH_NOT_FOUND 127

/*
 * Refuses a count of fds for which launch_pass() has no room under `limit`, the soft limit on open files,
 * whatever else is open. To be asked before anything is waited for; launch_pass() itself may still find
 * that there is no room.
 */
int launch_check_fds(size_t count, rlim_t limit, struct error *err);

/*
 * Moves the fds to LAUNCH_FIRST_FD and up, replacing them by their new numbers, and makes them
 * inheritable: the only place that does.
 */
int launch_pass(int *fds, size_t count, struct error *err);

/*
 * Execs argv, from argv[0] to NULL, with the environment of this process, looked up in PATH. A file that
 * begins neither as a program of this machine nor as a script is run by sh, unless it is a program of
 * another. Does not return unless that failed: then with the exit status that says so, and err.
 */
int launch(char *const *argv, struct error *err);

#endif
