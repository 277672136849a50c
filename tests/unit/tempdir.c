#include "tempdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

char tempdir[32];

void tempdir_make(void)
{
	strcpy(tempdir, "/tmp/grouplock-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(tempdir), "cannot make %s", tempdir);
	cr_assert(zero(int, chdir(tempdir)));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tempdir_remove(void)
{
	cr_assert(zero(int, chdir("/")));
	cr_assert(zero(int, nftw(tempdir, remove_one, 16, FTW_DEPTH | FTW_PHYS)));
}

void tempdir_write(const char *name, const void *bytes, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(ge(int, fd, 0), "cannot create '%s'", name);
	cr_assert(eq(long, write(fd, bytes, size), (long)size));
	close(fd);
}

void tempdir_write_text(const char *name, const char *text)
{
	tempdir_write(name, text, strlen(text));
}

void tempdir_open_lock(struct statedir *sd)
{
	struct error err = {""};

	cr_assert(eq(int, statedir_open(sd, tempdir, "hw1", "default", true, &err), STATEDIR_OK),
		  "%s", err.text);
}

int tempdir_hold(const struct statedir *sd, const char *name, int operation)
{
	int fd = openat(sd->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	cr_assert(ge(int, fd, 0), "cannot open '%s'", name);
	cr_assert(zero(int, flock(fd, operation | LOCK_NB)), "cannot lock '%s'", name);
	return fd;
}

bool tempdir_is_held(const struct statedir *sd, const char *name)
{
	int fd = openat(sd->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return held;
}

bool tempdir_has(const struct statedir *sd, const char *name)
{
	struct stat st;

	return !fstatat(sd->fd, name, &st, AT_SYMLINK_NOFOLLOW);
}
