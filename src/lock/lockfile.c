#include "lock/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAFE_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define CREATE_TRIES 100 /* a file that others remove as fast as we create it is an error */

static enum lockfile_result open_error(const struct statedir *sd, const char *name, int errnum,
				       struct error *err)
{
	switch (errnum) {
	case ENOENT:
	case ESTALE:
		return LOCKFILE_MISSING;
	case ELOOP:
		error_set(err, "'%s/%s' is a symbolic link, which grouplock never makes; remove it",
			  sd->path, name);
		break;
	case EISDIR:
	case ENXIO: /* a socket, or a device that is not there: open(2) */
		error_set(err, "'%s/%s' is not a regular file; remove it", sd->path, name);
		break;
	default:
		error_sys(err, errnum, "cannot open '%s/%s'", sd->path, name);
		break;
	}
	return LOCKFILE_ERROR;
}

/* The file must be a regular one, still linked, under one name only; *fd is -1 if it is not. */
static enum lockfile_result open_with(const struct statedir *sd, const char *name, int flags,
				      int *fd, struct error *err)
{
	enum lockfile_result result = LOCKFILE_ERROR;
	struct stat st;

	*fd = openat(sd->fd, name, flags | SAFE_FLAGS, sd->mode & 0666);
	if (*fd < 0)
		return open_error(sd, name, errno, err);
	if (fstat(*fd, &st))
		result = open_error(sd, name, errno, err);
	else if (!S_ISREG(st.st_mode))
		error_set(err, "'%s/%s' is not a regular file; remove it", sd->path, name);
	else if (st.st_nlink > 1)
		error_set(err, "'%s/%s' has other hard links; remove it", sd->path, name);
	else if (!st.st_nlink)
		result = LOCKFILE_MISSING;
	else
		return LOCKFILE_OK;
	close(*fd);
	*fd = -1;
	return result;
}

enum lockfile_result lockfile_open(const struct statedir *sd, const char *name, int *fd,
				   struct error *err)
{
	return open_with(sd, name, O_RDWR, fd, err);
}

enum lockfile_result lockfile_open_to_read(const struct statedir *sd, const char *name, int *fd,
					   struct error *err)
{
	return open_with(sd, name, O_RDONLY, fd, err);
}

/*
 * Plain open first: fs.protected_regular refuses O_CREAT on another user's file in a sticky
 * directory, even to root.
 */
enum lockfile_result lockfile_open_or_create(const struct statedir *sd, const char *name, int *fd,
					     struct error *err)
{
	for (int i = 0; i < CREATE_TRIES; i++) {
		enum lockfile_result result = open_with(sd, name, O_RDWR, fd, err);
		struct stat st;

		if (result != LOCKFILE_MISSING)
			return result;
		result = lockfile_create(sd, name, fd, err);
		if (result == LOCKFILE_OK || result == LOCKFILE_ERROR)
			return result;
		/* An NFS client that remembers a name as missing asks the server only with O_CREAT. */
		if (result == LOCKFILE_EXISTS) {
			mode_t umask_was = umask(0); /* it may be gone by now */

			result = open_with(sd, name, O_RDWR | O_CREAT, fd, err);
			umask(umask_was);
			if (result == LOCKFILE_OK)
				return result;
		}
		if (fstat(sd->fd, &st) || st.st_nlink == 0)
			return LOCKFILE_MISSING;
	}
	error_set(err, "cannot create '%s/%s': somebody keeps removing it", sd->path, name);
	return LOCKFILE_ERROR;
}

enum lockfile_result lockfile_create(const struct statedir *sd, const char *name, int *fd,
				     struct error *err)
{
	struct stat st;

	*fd = statedir_make(sd, name, O_RDWR | SAFE_FLAGS);
	if (*fd >= 0)
		return LOCKFILE_OK;
	if (errno != EEXIST)
		return open_error(sd, name, errno, err);
	/* O_EXCL says EEXIST for anything: only a leftover regular file is nothing to worry about. */
	if (fstatat(sd->fd, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISREG(st.st_mode))
		return LOCKFILE_EXISTS;
	error_set(err, "'%s/%s' is not a regular file; remove it", sd->path, name);
	return LOCKFILE_ERROR;
}

void lockfile_explain(const struct statedir *sd, const char *name, int errnum, struct error *err)
{
	if (errnum == ENOLCK || errnum == EOPNOTSUPP || errnum == ENOSYS)
		error_set(err,
			  "cannot lock '%s/%s': the file system offers no flock(2) here or is out "
			  "of locks; use a directory on another one",
			  sd->path, name);
	else
		error_sys(err, errnum, "cannot lock '%s/%s'", sd->path, name);
}

enum lockfile_result lockfile_try(const struct statedir *sd, const char *name, int fd,
				  int operation, struct error *err)
{
	while (flock(fd, operation | LOCK_NB)) {
		switch (errno) {
		case EINTR:
			continue;
		case EWOULDBLOCK:
		case EACCES: /* SMB */
			return LOCKFILE_BUSY;
		default:
			lockfile_explain(sd, name, errno, err);
			return LOCKFILE_ERROR;
		}
	}
	return LOCKFILE_OK;
}

enum lockfile_result lockfile_look(const struct statedir *sd, const char *name, int *fd,
				   struct error *err)
{
	enum lockfile_result result = lockfile_open_to_read(sd, name, fd, err);

	if (result != LOCKFILE_OK)
		return result;
	result = lockfile_try(sd, name, *fd, LOCK_SH, err);
	if (result == LOCKFILE_OK)
		flock(*fd, LOCK_UN);
	if (result != LOCKFILE_ERROR)
		return result;
	close(*fd);
	*fd = -1;
	return result;
}

int lockfile_write(const struct statedir *sd, const char *name, int fd, const char *bytes,
		   size_t size, struct error *err)
{
	ssize_t wrote;

	do
		wrote = pwrite(fd, bytes, size, 0);
	while (wrote < 0 && errno == EINTR);
	if (wrote == (ssize_t)size)
		return 0;
	return error_sys(err, wrote < 0 ? errno : ENOSPC, "cannot write '%s/%s'", sd->path, name);
}

bool lockfile_is_current(const struct statedir *sd, const char *name, int fd)
{
	struct stat named, open;

	return !fstatat(sd->fd, name, &named, AT_SYMLINK_NOFOLLOW) && !fstat(fd, &open) &&
	       named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}
