#include "keep/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/*
 * As execv(3), and as execvp(3), which has a shell read what the kernel does not know. But a program of another
 * machine is no script: that has no zero byte in its first line.
 */
static void exec_file(const char *path, char *const *argv)
{
	const char *zero, *line_end;
	char start[128];
	ssize_t size;
	int fd;

	execv(path, argv);
	if (errno != ENOEXEC)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = read(fd, start, sizeof(start));
	close(fd);
	errno = ENOEXEC;
	if (size < 0)
		return;
	zero = memchr(start, 0, (size_t)size);
	line_end = memchr(start, '\n', (size_t)size);
	if (!zero || (line_end && line_end < zero))
		execvp(path, argv);
}

/* Looks argv[0] up in PATH as execvp(3) does, and fails with errno as that does. */
static void exec_in_path(char *const *argv)
{
	const char *dir = getenv("PATH");
	char path[PATH_MAX + 1]; /* what does not fit is too long for the kernel, too */
	bool denied = false;

	if (!*argv[0] || strchr(argv[0], '/')) {
		exec_file(argv[0], argv);
		return;
	}
	for (dir = dir ? dir : "/bin:/usr/bin";; dir++) {
		int length = (int)strcspn(dir, ":");

		snprintf(path, sizeof(path), "%.*s/%s", length ? length : 1, length ? dir : ".",
			 argv[0]);
		exec_file(path, argv);
		if (errno != EACCES && errno != ENOENT && errno != ENOTDIR && errno != ESTALE &&
		    errno != ENODEV && errno != ETIMEDOUT)
			return;
		denied |= errno == EACCES;
		dir += length;
		if (!*dir)
			break;
	}
	if (denied)
		errno = EACCES;
}

int launch(char *const *argv, struct error *err)
{
	int errnum;

	exec_in_path(argv);
	errnum = errno;
	error_sys(err, errnum, "cannot run '%s'", argv[0]);
	return errnum == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT_EXECUTE;
}
