#include "keep/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static int refuse_limit(struct error *err)
{
	return error_set(err,
			 "no file descriptor from %d up for a slot: the limit on open files is too "
			 "low; raise it with 'ulimit -Hn'",
			 LAUNCH_FIRST_FD);
}

int launch_check_fds(size_t count, rlim_t limit, struct error *err)
{
	if (!count || limit >= LAUNCH_FIRST_FD + count)
		return 0;
	return refuse_limit(err);
}

/* The command's descriptors: out of the way of scripts, and open across exec. */
static int move_fds(struct launch *launch, struct error *err)
{
	for (size_t i = 0; i < launch->fd_count; i++) {
		int fd = fcntl(launch->fds[i], F_DUPFD, LAUNCH_FIRST_FD);

		if (fd < 0 && (errno == EINVAL || errno == EMFILE))
			return refuse_limit(err);
		if (fd < 0)
			return error_sys(err, errno, "cannot duplicate a slot's descriptor");
		close(launch->fds[i]);
		launch->fds[i] = fd;
	}
	return 0;
}

/*
 * A copy of argv in one piece, to be freed: the keeper's title is about to be written over the
 * original strings.
 */
static char **copy_argv(char *const *argv)
{
	size_t count = 0, bytes = 0;
	char **copy, *text;

	do /* there is a command, at least */
		bytes += strlen(argv[count]) + 1;
	while (argv[++count]);
	copy = calloc(1, (count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, argv[i]) + 1;
	}
	return copy;
}

/* Starts the keeper if there is anything to keep. */
static int start_keeper(struct launch *launch, struct error *err)
{
	struct keeper_task *keeper = &launch->keeper;
	pid_t pid;

	if (!launch->fd_count || keeper->pidfd < 0)
		return 0;
	keeper->fds = launch->fds;
	keeper->count = launch->fd_count;
	keeper->timeout = CLOCK_NEVER;
	keeper->commit_fd = -1;
	return keeper_start(keeper, &pid, err);
}

int launch(struct launch *launch, struct error *err)
{
	char **argv = copy_argv(launch->argv);
	int errnum;

	if (!argv) {
		error_sys(err, ENOMEM, "cannot start '%s'", launch->argv[0]);
		return LAUNCH_FAILED;
	}
	if (move_fds(launch, err) || start_keeper(launch, err)) {
		free(argv);
		return LAUNCH_FAILED;
	}
	launch->before_exec(launch->arg);
	execvp(argv[0], argv);
	errnum = errno;
	error_sys(err, errnum, "cannot run '%s'", argv[0]);
	free(argv);
	return errnum == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT_EXECUTE;
}
