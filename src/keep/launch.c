#include "keep/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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

int launch_pass(int *fds, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		int fd = fcntl(fds[i], F_DUPFD, LAUNCH_FIRST_FD);

		if (fd < 0 && (errno == EINVAL || errno == EMFILE))
			return refuse_limit(err);
		if (fd < 0)
			return error_sys(err, errno, "cannot duplicate a slot's descriptor");
		close(fds[i]);
		fds[i] = fd;
	}
	return 0;
}

int launch(char *const *argv, struct error *err)
{
	int errnum;

	execvp(argv[0], argv);
	errnum = errno;
	error_sys(err, errnum, "cannot run '%s'", argv[0]);
	return errnum == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT_EXECUTE;
}
