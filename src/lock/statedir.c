#include "lock/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/text.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int statedir_adopt(const struct statedir *sd, int fd, mode_t bits, const char *name,
		   struct error *err)
{
	struct stat st;
	mode_t mode = sd->mode & bits;

	if (fstat(fd, &st))
		return error_sys(err, errno, "cannot stat '%s/%s'", sd->path, name);
	if (st.st_uid != geteuid())
		return 0;
	/* The group first: chown may clear mode bits. */
	if (st.st_gid != sd->gid && fchown(fd, (uid_t)-1, sd->gid) && errno != EPERM)
		return error_sys(err, errno, "cannot change the group of '%s/%s'", sd->path, name);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode))
		return error_sys(err, errno, "cannot change the mode of '%s/%s'", sd->path, name);
	return 0;
}

/* Opens, or makes and opens, directory `name` in `parent`, whose path is sd->path. */
static enum statedir_result enter(struct statedir *sd, int parent, const char *name, bool create,
				  struct error *err)
{
	sd->fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	if (sd->fd < 0 && errno == ENOENT && create) {
		/* Right from birth: between mkdir and chmod others may already come in. */
		mode_t umask_was = umask(0);
		int made = mkdirat(parent, name, sd->mode & 0777);
		int errnum = errno;

		umask(umask_was);
		if (made && errnum != EEXIST) {
			error_sys(err, errnum, "cannot create directory '%s/%s'", sd->path, name);
			return STATEDIR_ERROR;
		}
		sd->fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
		if (sd->fd >= 0 && statedir_adopt(sd, sd->fd, 07777, name, err)) {
			statedir_close(sd);
			return STATEDIR_ERROR;
		}
	}
	if (sd->fd >= 0) {
		size_t used = strlen(sd->path);

		snprintf(sd->path + used, sizeof(sd->path) - used, "/%s", name);
		return STATEDIR_OK;
	}
	if (errno == ENOENT && !create)
		return STATEDIR_MISSING;
	if (errno == ELOOP || errno == ENOTDIR)
		error_set(err, "'%s/%s' is not a directory; remove it", sd->path, name);
	else
		error_sys(err, errno, "cannot open directory '%s/%s'", sd->path, name);
	return STATEDIR_ERROR;
}

enum statedir_result statedir_open_top(struct statedir *sd, const char *dir, bool create,
				       struct error *err)
{
	struct stat st;

	if (strlen(dir) + 2 * (NAME_MAX + 1) >= sizeof(sd->path)) {
		error_set(err, "directory '%.40s...' has too long a path", dir);
		return STATEDIR_ERROR;
	}
	strcpy(sd->path, dir);
	sd->fd = open(dir, DIRECTORY_FLAGS);
	if (sd->fd < 0) {
		if (errno == ENOENT && !create)
			return STATEDIR_MISSING;
		if (errno == ENOENT) {
			char *quoted = text_quote(dir, false);

			error_set(err,
				  "no directory '%s': create it with the mode and group of those "
				  "who may take part, like: install -d -m 2770 -g GROUP %s",
				  dir, quoted ? quoted : dir);
			free(quoted);
		} else {
			error_sys(err, errno, "cannot open directory '%s'", dir);
		}
		return STATEDIR_ERROR;
	}
	if (fstat(sd->fd, &st)) {
		error_sys(err, errno, "cannot stat '%s'", dir);
		statedir_close(sd);
		return STATEDIR_ERROR;
	}
	sd->mode = st.st_mode & 07777;
	sd->gid = st.st_gid;
	return STATEDIR_OK;
}

enum statedir_result statedir_open(struct statedir *sd, const char *dir, const char *group,
				   const char *lock, bool create, struct error *err)
{
	char names[2][NAME_MAX + 1];
	enum statedir_result result;

	sd->fd = -1;
	if (filename_encode(names[0], "", "group", group, err) ||
	    filename_encode(names[1], "", "lock", lock, err))
		return STATEDIR_ERROR;
	result = statedir_open_top(sd, dir, create, err);
	for (int i = 0; i < 2 && result == STATEDIR_OK; i++) {
		int parent = sd->fd;

		result = enter(sd, parent, names[i], create, err);
		close(parent);
	}
	return result;
}

void statedir_close(struct statedir *sd)
{
	if (sd->fd >= 0)
		close(sd->fd);
	sd->fd = -1;
}
