#include "bound.h"

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

#include "keeper.h"
#include "proc.h"

#define SUBSHELLS_MAX 16

static size_t read_cmdline(pid_t pid, char *out, size_t size)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, out, size);
	if (fd >= 0)
		close(fd);
	return got > 0 ? (size_t)got : 0;
}

static bool same_program(pid_t a, pid_t b)
{
	char paths[2][32], exes[2][PATH_MAX], lines[2][4096];
	ssize_t lengths[2];
	size_t sizes[2];
	pid_t pids[2] = {a, b};

	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/proc/%ld/exe", (long)pids[i]);
		lengths[i] = readlink(paths[i], exes[i], sizeof(exes[i]));
		sizes[i] = read_cmdline(pids[i], lines[i], sizeof(lines[i]));
	}
	return lengths[0] > 0 && lengths[0] == lengths[1] &&
	       !memcmp(exes[0], exes[1], (size_t)lengths[0]) && sizes[0] && sizes[0] == sizes[1] &&
	       !memcmp(lines[0], lines[1], sizes[0]);
}

/* Whether the process has our stdout as its own, and that is a pipe. */
static bool shares_stdout(pid_t pid)
{
	char path[40];
	struct stat own, theirs;

	snprintf(path, sizeof(path), "/proc/%ld/fd/1", (long)pid);
	return !fstat(STDOUT_FILENO, &own) && S_ISFIFO(own.st_mode) && !stat(path, &theirs) &&
	       own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino;
}

pid_t bound_caller(void)
{
	pid_t pid = getppid();

	for (int i = 0; i < SUBSHELLS_MAX && shares_stdout(pid); i++) {
		pid_t parent = proc_parent(pid);

		if (parent <= 0 || !same_program(pid, parent))
			break;
		pid = parent;
	}
	return pid;
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

void bound_command(const struct bound *bound, char *out, size_t size)
{
	size_t used = bound->pid ? read_cmdline(bound->pid, out, size - 1) : 0;

	while (used && !out[used - 1])
		used--;
	for (size_t i = 0; i < used; i++) {
		if (!out[i])
			out[i] = ' ';
	}
	out[used] = '\0';
}
