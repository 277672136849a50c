#include "lock/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/text.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Whom the kernel shows where the owner is not of this user namespace: user_namespaces(7). */
#define OVERFLOW_UID 65534

/* Root makes things for the owner of DIR. */
static bool gives_away(const struct statedir *sd)
{
	return sd->uid && sd->uid != OVERFLOW_UID && !geteuid();
}

/*
 * Gives what was just made the owner, group and permissions that DIR asks for. What this user, or
 * user namespace, may not give is let be.
 */
static int adopt(const struct statedir *sd, int fd)
{
	bool give = gives_away(sd);
	struct stat st;
	mode_t mode;

	if (fstat(fd, &st))
		return -1;
	if (S_ISREG(st.st_mode) && st.st_gid == sd->gid && !give)
		return 0; /* its mode is right from birth */
	/* Put there by another meanwhile; or the server of a network file system decides. */
	if (st.st_uid != geteuid())
		return 0;
	mode = sd->mode & (S_ISREG(st.st_mode) ? 0666 : 07777);
	/* The group first: chown may clear mode bits. The owner last: it may take the right to the rest. */
	if (st.st_gid != sd->gid && fchown(fd, (uid_t)-1, sd->gid) && errno != EPERM)
		return -1;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode))
		return -1;
	return give && fchown(fd, sd->uid, (gid_t)-1) && errno != EPERM && errno != EINVAL ? -1 : 0;
}

/* Makes, opens and adopts it under its name, whatever the umask; -1 with errno. */
static int make_here(const struct statedir *sd, const char *name, int flags)
{
	bool directory = flags & O_DIRECTORY;
	mode_t umask_was = umask(0);
	int fd = -1, errnum;

	if (!directory)
		fd = openat(sd->fd, name, flags | O_CREAT | O_EXCL, sd->mode & 0666);
	else if (!mkdirat(sd->fd, name, sd->mode & 01777))
		fd = openat(sd->fd, name, flags);
	errnum = errno;
	umask(umask_was);
	if (fd >= 0 && adopt(sd, fd)) {
		errnum = errno;
		close(fd);
		fd = -1;
	}
	errno = errnum;
	return fd;
}

int statedir_make(const struct statedir *sd, const char *name, int flags)
{
	char unseen[32];
	uint64_t random;
	int fd, errnum;

	if ((!gives_away(sd) && (sd->mode & S_ISGID || sd->gid == getegid())) ||
	    getrandom(&random, sizeof(random), 0) != sizeof(random))
		return make_here(sd, name, flags);
	/* Whoever ends this process meanwhile leaves nothing that shuts others out. */
	snprintf(unseen, sizeof(unseen), ".new-%016" PRIx64, random);
	fd = make_here(sd, unseen, flags);
	if (fd >= 0 && !renameat2(sd->fd, unseen, sd->fd, name, RENAME_NOREPLACE))
		return fd;
	errnum = errno;
	if (fd >= 0)
		close(fd);
	unlinkat(sd->fd, unseen, flags & O_DIRECTORY ? AT_REMOVEDIR : 0);
	if (errnum == EINVAL || errnum == ENOSYS) /* NFS has no such rename */
		return make_here(sd, name, flags);
	errno = errnum;
	return -1;
}

/* From directory sd->fd into `name` in it, which is opened, or made and opened. */
static enum statedir_result enter(struct statedir *sd, const char *name, bool create,
				  struct error *err)
{
	const int flags = DIRECTORY_FLAGS | O_NOFOLLOW;
	size_t used = strlen(sd->path);
	int fd = openat(sd->fd, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (!create)
			return STATEDIR_MISSING;
		fd = statedir_make(sd, name, flags);
		if (fd < 0 && errno != EEXIST) {
			error_sys(err, errno, "cannot create directory '%s/%s'", sd->path, name);
			return STATEDIR_ERROR;
		}
		if (fd < 0)
			fd = openat(sd->fd, name, flags);
	}
	if (fd >= 0) {
		close(sd->fd);
		sd->fd = fd;
		snprintf(sd->path + used, sizeof(sd->path) - used, "/%s", name);
		return STATEDIR_OK;
	}
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
	sd->uid = st.st_uid;
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
	for (int i = 0; i < 2 && result == STATEDIR_OK; i++)
		result = enter(sd, names[i], create, err);
	if (result != STATEDIR_OK)
		statedir_close(sd);
	return result;
}

void statedir_close(struct statedir *sd)
{
	if (sd->fd >= 0)
		close(sd->fd);
	sd->fd = -1;
}
