#include "keep/bound.h"

#include <dirent.h>
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

#include "base/clock.h"
#include "base/proc.h"
#include "keep/keeper.h"

#define SUBSHELLS_MAX 16
#define CALM_PATIENCE (2 * CLOCK_SECOND)

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

/* The process that this one is a fork of, 0 if it has run another program since. */
static pid_t forked_by(pid_t pid)
{
	pid_t parent = proc_parent(pid);

	return parent > 0 && same_program(pid, parent) ? parent : 0;
}

/* Whether it is an end to read from of pipe `arg`: the links' own modes tell how the files are open (proc(5)). */
static bool reads(void *arg, int fds, const char *name)
{
	struct stat mode;

	return proc_is_file(fds, name, arg) && !fstatat(fds, name, &mode, AT_SYMLINK_NOFOLLOW) &&
	       mode.st_mode & S_IRUSR;
}

/*
 * Which process calls? Our parent is the shell that has started us, but it may be a subshell that
 * ends before what we print is used: that of the $(...) of an eval, or of the pipeline in there. So
 * we follow what we print, as long as it stays among shells that are forks of each other: same
 * program, same arguments. At each shell, from our parent upward, it goes through those of the
 * shell's children that read it from their stdin: filters, to be followed by their stdout. The
 * shell has called us if it has that pipe open to read from; but if the pipe is also its own
 * stdout, one further up may be the reader, and the last counts, since a shell that writes may have
 * kept the other end. If what is printed leaves the shells unread, into a file say, it is the first
 * shell whose stdout is another than ours: it lives on.
 *
 * A shell that makes a pipeline has all ends of it until it has started the last command, and a
 * command that it has forked has its redirections still to make. So all shells and forks that are
 * looked at must sleep through the look: that is so if a second look sees them as the first did,
 * asleep, with the same number of context switches.
 */
struct look {
	uint64_t sum; /* of what /proc says of those looked at */
	bool restless;
};

static void see_rest(struct look *look, pid_t pid)
{
	char text[4096];

	proc_read(pid, "status", text, sizeof(text));
	for (const char *p = text; *p; p++)
		look->sum = look->sum * 31 + (unsigned char)*p;
	if (!strstr(text, "\nState:\tS"))
		look->restless = true;
}

static bool see_file(pid_t pid, int fd, struct stat *file)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)pid, fd);
	return !stat(path, file);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* If a child of `shell` reads *file from its stdin, *file becomes its stdout. */
static bool pass_filter(struct look *look, pid_t shell, struct stat *file)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool passed = false;

	while (dir && !passed && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct stat in;

		if (pid <= 0 || pid == getpid() || proc_parent(pid) != shell)
			continue;
		if (same_program(pid, shell))
			see_rest(look, pid);
		passed = see_file(pid, STDIN_FILENO, &in) && S_ISFIFO(in.st_mode) &&
			 is_same(&in, file) && see_file(pid, STDOUT_FILENO, file);
	}
	if (dir)
		closedir(dir);
	return passed;
}

static pid_t follow(struct look *look, pid_t parent, const struct stat *own)
{
	struct stat file = *own, out;
	pid_t reader = 0, redirects = 0, shell = parent;

	for (int i = 0; i < SUBSHELLS_MAX && shell; i++) {
		see_rest(look, shell);
		if (!see_file(shell, STDOUT_FILENO, &out))
			break;
		if (!redirects && !is_same(&out, own))
			redirects = shell;
		for (int filters = 0; filters < SUBSHELLS_MAX; filters++) {
			if (!pass_filter(look, shell, &file))
				break;
		}
		if (S_ISFIFO(file.st_mode) && proc_each_fd(shell, reads, &file) > 0)
			reader = shell;
		shell = is_same(&out, &file) ? forked_by(shell) : 0;
	}
	return reader ? reader : redirects ? redirects : parent;
}

static pid_t find_caller(pid_t parent)
{
	int64_t deadline = clock_now() + CALM_PATIENCE;
	uint64_t before = 0;
	struct stat own;

	/* A file may be a shell's stdout only for as long as it calls us, and tells nothing. */
	if (!forked_by(parent) || fstat(STDOUT_FILENO, &own) ||
	    !(S_ISFIFO(own.st_mode) || S_ISSOCK(own.st_mode)))
		return parent;
	for (;;) {
		struct look look = {0};
		pid_t caller = follow(&look, parent, &own);

		if ((!look.restless && look.sum == before) || clock_now() >= deadline)
			return caller;
		before = look.sum;
		poll(NULL, 0, 1);
	}
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
		if (bound_open(bound, find_caller(parent), err))
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
