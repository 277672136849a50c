#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/waitset.h"
#include "status/holders.h"
#include "status/look.h"

#define REPLACED_TRIES 100        /* a gate that vanishes each time we open it is an error */
#define PAUSE (CLOCK_SECOND / 50) /* between two tries where nothing can be had to wait with */
#define SHOWN_COMMAND 60          /* bytes of a command in a message */

/* Puts into `text` who keeps the gate, for the message. */
static void see_holder(void *text, unsigned index, pid_t pid, const char *command)
{
	char shown[SHOWN_COMMAND + 1];

	(void)index;
	if (*(char *)text) /* the first one found is enough */
		return;
	text_escape(shown, sizeof(shown), command);
	sprintf(text, " by pid %ld (%s), which may be stopped", (long)pid, shown);
}

static void say_busy(const struct statedir *sd, int fd, struct error *err)
{
	char holder[SHOWN_COMMAND + 64] = "";
	struct stat st;

	if (!fstat(fd, &st)) {
		struct holders_file gate = {st.st_dev, st.st_ino, GATE_NAME};

		holders_find(&gate, 1, see_holder, holder);
	}
	error_set(err, "cannot look: '%s/%s' has been held for %d seconds%s", sd->path, GATE_NAME,
		  REPORT_GATE_PATIENCE, holder);
}

/* Blocks until the lock was granted or seems worth another try; false: the clock is at `until`. */
static bool wait_for_gate(int fd, int operation, int64_t until)
{
	struct timespec pause = {.tv_nsec = PAUSE};
	struct waitset waits;
	struct waitset_event event = {.kind = WAITSET_FAILED};
	struct error ignored; /* whatever goes wrong, the next try tells */

	if (clock_now() >= until)
		return false;
	if (waitset_open(&waits, false, &ignored)) {
		nanosleep(&pause, NULL);
		return true;
	}
	if (waitset_add(&waits, fd, operation, 0))
		nanosleep(&pause, NULL);
	else
		waitset_wait(&waits, until, &event);
	waitset_close(&waits);
	return event.kind != WAITSET_DEADLINE;
}

/* Locks the gate's open file. */
static enum lockfile_result lock_gate(int fd, const struct statedir *sd, struct error *err)
{
	int64_t until = clock_add(clock_now(), REPORT_GATE_PATIENCE * CLOCK_SECOND);
	int operation = LOCK_EX;

	for (;;) {
		enum lockfile_result result = lockfile_try(sd, GATE_NAME, fd, operation, err);

		if (result == LOCKFILE_ERROR && operation == LOCK_EX)
			operation = LOCK_SH; /* NFS: EBADF for a file that is open to be read */
		else if (result != LOCKFILE_BUSY)
			return result;
		else if (!wait_for_gate(fd, operation, until))
			break;
	}
	say_busy(sd, fd, err);
	return LOCKFILE_BUSY;
}

static enum lockfile_result enter(struct report_gate *gate, const struct statedir *sd,
				  struct error *err)
{
	for (int i = 0; i < REPLACED_TRIES; i++) {
		enum lockfile_result result = lockfile_open_to_read(sd, GATE_NAME, &gate->fd, err);

		if (result != LOCKFILE_OK)
			return result;
		result = lock_gate(gate->fd, sd, err);
		if (result == LOCKFILE_OK && lockfile_is_current(sd, GATE_NAME, gate->fd))
			return LOCKFILE_OK;
		close(gate->fd); /* and with it a lock that was granted unreported */
		if (result != LOCKFILE_OK)
			return result;
	}
	error_set(err, "somebody keeps replacing '%s/%s'", sd->path, GATE_NAME);
	return LOCKFILE_ERROR;
}

enum lockfile_result report_enter_gate(struct report_gate *gate, const struct statedir *sd,
				       struct error *err)
{
	enum lockfile_result result;
	sigset_t stops;

	/* Not those that end a process: that frees the gate at once, and nothing is half done. */
	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	sigaddset(&stops, SIGTTIN);
	sigaddset(&stops, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stops, &gate->mask_was);
	result = enter(gate, sd, err);
	if (result != LOCKFILE_OK)
		sigprocmask(SIG_SETMASK, &gate->mask_was, NULL);
	return result;
}

void report_leave_gate(struct report_gate *gate)
{
	close(gate->fd);
	sigprocmask(SIG_SETMASK, &gate->mask_was, NULL);
}
