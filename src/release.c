#include "release.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"
#include "lockfile.h"

#define KEEPER_PATIENCE_MS 10000

static bool has_keeper_name(pid_t pid)
{
	char path[32], name[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, name, sizeof(name) - 1) < 0)
		*name = '\0';
	if (fd >= 0)
		close(fd);
	return !strncmp(name, KEEPER_NAME, sizeof(name) - 1);
}

/* Whether process `pid` has the file that is open as `fd` open too. errno EACCES: not ours to see. */
static bool has_open(pid_t pid, int fd)
{
	struct stat own, theirs;
	char path[32];
	bool found = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = opendir(path);
	if (!dir || fstat(fd, &own)) {
		if (dir)
			closedir(dir);
		return false;
	}
	while (!found && (entry = readdir(dir)))
		found = !fstatat(dirfd(dir), entry->d_name, &theirs, 0) &&
			theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
	closedir(dir);
	errno = 0;
	return found;
}

/* Tells the keeper and waits for its end. */
static enum release_result tell_keeper(const struct record *record, int slot_fd, struct error *err)
{
	pid_t pid = record->process.pid;
	struct pollfd end = {.events = POLLIN};
	enum release_result result = RELEASE_DONE;

	if (keeper_open_pidfd(pid, 3, &end.fd) != KEEPER_STARTED) {
		if (errno == ESRCH)
			return RELEASE_EARLIER;
		error_sys(err, errno, "cannot reach the claim's keeper, pid %ld", (long)pid);
		return RELEASE_FAILED;
	}
	if (!has_keeper_name(pid) || !has_open(pid, slot_fd)) {
		if (errno == EACCES || errno == EPERM)
			error_set(err, "claim %.*s is another user's", RECORD_SHORT_ID, record->id);
		else
			error_set(err, "pid %ld is not the keeper of claim %.*s", (long)pid,
				  RECORD_SHORT_ID, record->id);
		result = RELEASE_FAILED;
	} else if (keeper_tell(end.fd)) {
		error_sys(err, errno, "cannot release claim %.*s", RECORD_SHORT_ID, record->id);
		result = RELEASE_FAILED;
	} else if (poll(&end, 1, KEEPER_PATIENCE_MS) <= 0) {
		error_set(
			err,
			"the keeper of claim %.*s, pid %ld, was told but does not end; is it stopped?",
			RECORD_SHORT_ID, record->id, (long)pid);
		result = RELEASE_FAILED;
	}
	close(end.fd);
	return result;
}

static enum release_result judge(const struct record *record, const char *id, int fd,
				 const struct proc_identity *self, struct error *err)
{
	if (strncmp(record->id, id, strlen(id)))
		return RELEASE_OTHER;
	if (record->kind != RECORD_CLAIM)
		return RELEASE_RUN;
	if (record->state != RECORD_HELD)
		return RELEASE_EARLIER;
	if (!proc_is_here(&record->process, self)) {
		error_set(
			err,
			"claim %.*s is held on host '%s', in another PID namespace or boot; release it there",
			RECORD_SHORT_ID, record->id, record->process.host);
		return RELEASE_FAILED;
	}
	if (proc_has_ended(&record->process, self))
		return RELEASE_EARLIER;
	return tell_keeper(record, fd, err);
}

enum release_result release_slot(const struct statedir *sd, const char *file, const char *id,
				 const struct proc_identity *self, struct record *record,
				 struct error *err)
{
	enum release_result result;
	int fd;

	switch (lockfile_open_to_read(sd, file, &fd, err)) {
	case LOCKFILE_OK:
		break;
	case LOCKFILE_MISSING:
		return RELEASE_OTHER;
	default:
		return RELEASE_FAILED;
	}
	result = record_read(record, fd) ? judge(record, id, fd, self, err) : RELEASE_OTHER;
	close(fd);
	return result;
}
