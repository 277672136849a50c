#include "keep/bound.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "keep/keeper.h"

#define SUBSHELLS_MAX 16

static bool same_program(pid_t a, pid_t b)
{
	char paths[2][32], exes[2][PATH_MAX], lines[2][4096];
	ssize_t lengths[2], sizes[2];
	pid_t pids[2] = {a, b};

	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/proc/%ld/exe", (long)pids[i]);
		lengths[i] = readlink(paths[i], exes[i], sizeof(exes[i]));
		sizes[i] = proc_read(pids[i], "cmdline", lines[i], sizeof(lines[i]));
	}
	return lengths[0] > 0 && lengths[0] == lengths[1] &&
	       !memcmp(exes[0], exes[1], (size_t)lengths[0]) && sizes[0] > 0 &&
	       sizes[0] == sizes[1] && !memcmp(lines[0], lines[1], (size_t)sizes[0]);
}

/* Whether it is an end to read from of pipe `arg`: the links' own modes tell how the files are open (proc(5)). */
static bool reads(void *arg, int fds, const char *name)
{
	struct stat mode;

	return proc_is_file(fds, name, arg) && !fstatat(fds, name, &mode, AT_SYMLINK_NOFOLLOW) &&
	       mode.st_mode & S_IRUSR;
}

/* Whether `parent` reads what `pid` writes to its stdout. */
static bool is_read_by(pid_t pid, pid_t parent)
{
	struct stat out;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/fd/1", (long)pid);
	return !stat(path, &out) && S_ISFIFO(out.st_mode) && proc_each_fd(parent, reads, &out) > 0;
}

/*
 * The process that calls: the parent, or, where that is a subshell of a `$(...)`, which ends before
 * what we print is used, the shell that reads it. Subshells run the same program with the same
 * arguments as their parent; that of a `$(...)` has a pipe as its stdout which its parent reads.
 */
static pid_t find_caller(void)
{
	pid_t pid = getppid(), caller = pid;

	for (int i = 0; i < SUBSHELLS_MAX; i++) {
		pid_t parent = proc_parent(pid);

		if (parent <= 0 || !same_program(pid, parent))
			break;
		if (is_read_by(pid, parent))
			caller = parent;
		pid = parent;
	}
	return caller;
}

/*
 * Whether `parent` has adopted this process: who did not begin its session shares that of who made
 * it. In a container, whose first process has made all, nobody can tell.
 */
static bool is_adopted(pid_t parent)
{
	pid_t session = getsid(0), of_parent = getsid(parent);

	return session != getpid() && of_parent != session && (of_parent >= 0 || errno == ESRCH);
}

int bound_open_caller(struct bound *bound, struct error *err)
{
	static const char advice[] = "say --pid PID, or --pid 0 with --max";
	pid_t parent = getppid();

	if (!parent)
		return error_set(err, "the calling process is outside this PID namespace: %s",
				 advice);
	if (!is_adopted(parent)) {
		if (bound_open(bound, find_caller(), err))
			return -1;
		if (getppid() == parent) /* else the pid may be another's by now */
			return 0;
		bound_close(bound);
	}
	return error_set(err, "the calling process has ended, so the claim would have no end: %s",
			 advice);
}

int bound_open(struct bound *bound, pid_t pid, struct error *err)
{
	bound->pid = pid;
	bound->pidfd = -1;
	switch (keeper_open_pidfd(pid, 3, &bound->pidfd)) {
	case KEEPER_UNSUPPORTED:
		return error_set(
			err,
			"cannot watch process %ld: pidfd_open(2) is missing or forbidden here, and "
			"a claim needs it (Linux 5.3)",
			(long)pid);
	case KEEPER_ERROR:
		if (errno == ESRCH)
			return error_set(err,
					 "no process %ld, as seen from here, to bind the claim to",
					 (long)pid);
		return error_sys(err, errno, "cannot watch process %ld", (long)pid);
	case KEEPER_STARTED:
		break;
	}
	if (!bound_has_ended(bound))
		return 0;
	bound_close(bound);
	return error_set(err, "process %ld, which the claim is to be bound to, has ended",
			 (long)pid);
}

void bound_close(struct bound *bound)
{
	if (bound->pidfd >= 0)
		close(bound->pidfd);
	bound->pidfd = -1;
}

int bound_has_ended(const struct bound *bound)
{
	struct pollfd end = {.fd = bound->pidfd, .events = POLLIN};

	return bound->pidfd >= 0 && poll(&end, 1, 0) > 0;
}
