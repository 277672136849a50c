#include "keep/release.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "keep/keeper.h"
#include "lock/lockfile.h"

#define KEEPER_PATIENCE (10 * CLOCK_SECOND)
#define TELL_AGAIN (20 * MILLISECOND)
#define MILLISECOND (CLOCK_SECOND / 1000)

static bool is_slot(void *arg, int fds, const char *name)
{
	return proc_is_file(fds, name, arg);
}

/* A keeper is named as keepers are, and has the slot open. */
static int check_keeper(const struct record *record, int slot_fd, struct error *err)
{
	pid_t pid = record->process.pid;
	char name[16];      /* as much as the kernel has */
	int is_keeper = -1; /* errno says why that cannot be seen */
	struct stat slot;

	if (proc_read(pid, "comm", name, sizeof(name)) >= 0)
		is_keeper = !strncmp(name, KEEPER_NAME, sizeof(name) - 1);
	if (is_keeper > 0)
		is_keeper = fstat(slot_fd, &slot) ? -1 : proc_each_fd(pid, is_slot, &slot);
	if (is_keeper > 0)
		return 0;
	if (!is_keeper)
		return error_set(err, "pid %ld is not the keeper of claim %.*s", (long)pid,
				 RECORD_SHORT_ID, record->id);
	if (errno == EACCES || errno == EPERM)
		return error_set(err, "claim %.*s is another user's", RECORD_SHORT_ID, record->id);
	return error_sys(err, errno, "cannot see whether pid %ld is the keeper of claim %.*s",
			 (long)pid, RECORD_SHORT_ID, record->id);
}

/* Waits so long for the end of a process. */
static bool ends_within(int pidfd, int64_t duration)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	int64_t deadline = clock_now() + duration, left;
	int ready;

	do {
		left = deadline - clock_now();
		ready = poll(&end, 1, left > 0 ? (int)(left / MILLISECOND) + 1 : 0);
	} while (ready < 0 && errno == EINTR && left > 0);
	return ready > 0;
}

/* Whether the keeper is told, or has ended; else errno. EAGAIN is tried again: a signal less, and there is room. */
static bool tell_until(int pidfd, bool by_term, int64_t deadline)
{
	while (keeper_tell(pidfd, by_term)) {
		int errnum = errno;

		if (ends_within(pidfd, errnum == EAGAIN ? TELL_AGAIN : 0))
			return true;
		errno = errnum;
		if (errnum != EAGAIN || clock_now() >= deadline)
			return false;
	}
	return true;
}

/* Tells the keeper and waits for its end. */
static enum release_result tell_keeper(const struct record *record, int slot_fd, struct error *err)
{
	pid_t pid = record->process.pid;
	enum release_result result = RELEASE_FAILED;
	int pidfd;

	if (keeper_open_pidfd(pid, 3, &pidfd) != KEEPER_STARTED) {
		if (errno == ESRCH)
			return RELEASE_EARLIER;
		error_sys(err, errno, "cannot reach the claim's keeper, pid %ld", (long)pid);
		return RELEASE_FAILED;
	}
	if (check_keeper(record, slot_fd, err))
		result = ends_within(pidfd, 0) ? RELEASE_EARLIER : RELEASE_FAILED;
	else if (!tell_until(pidfd, !record->sigqueue, clock_now() + KEEPER_PATIENCE))
		error_sys(err, errno, "cannot release claim %.*s", RECORD_SHORT_ID, record->id);
	else if (!ends_within(pidfd, KEEPER_PATIENCE))
		error_set(
			err,
			"the keeper of claim %.*s, pid %ld, was told but does not end; is it stopped?",
			RECORD_SHORT_ID, record->id, (long)pid);
	else
		result = RELEASE_DONE;
	close(pidfd);
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
			"claim %.*s is held on host '%s', in another PID or time namespace or boot; release it there",
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
	if (record_read(record, fd)) {
		result = judge(record, id, fd, self, err);
	} else if (errno) {
		error_sys(err, errno, "cannot read '%s/%s'", sd->path, file);
		result = RELEASE_FAILED;
	} else {
		result = RELEASE_NOBODY;
	}
	close(fd);
	return result;
}
