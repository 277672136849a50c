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
	struct waitset_event event = {.kind = WAITSET_FAILED};
	struct waitset waits;
	struct error ignored; /* whatever goes wrong, the next try tells */

	if (clock_now() >= until)
		return false;
	if (!waitset_open(&waits, false, &ignored)) {
		if (!waitset_add(&waits, fd, operation, 0))
			waitset_wait(&waits, until, &event);
		waitset_close(&waits);
	}
	if (event.kind == WAITSET_FAILED)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
	return event.kind != WAITSET_DEADLINE;
}

static enum lockfile_result enter(struct report_gate *gate, const struct statedir *sd,
				  struct error *err)
{
	int64_t until = clock_add(clock_now(), REPORT_GATE_PATIENCE * CLOCK_SECOND);
	enum lockfile_result result;
	int operation = LOCK_EX;

	for (int i = 0; i < REPLACED_TRIES; i++) {
		result = lockfile_open_to_read(sd, GATE_NAME, &gate->fd, err);
		if (result != LOCKFILE_OK)
			return result;
		result = lockfile_try(sd, GATE_NAME, gate->fd, operation, err);
		if (result == LOCKFILE_ERROR) { /* NFS: EBADF for a file that is open to be read */
			operation = LOCK_SH;
			result = lockfile_try(sd, GATE_NAME, gate->fd, operation, err);
		}
		while (result == LOCKFILE_BUSY && wait_for_gate(gate->fd, operation, until))
			result = lockfile_try(sd, GATE_NAME, gate->fd, operation, err);
		if (result == LOCKFILE_OK && lockfile_is_current(sd, GATE_NAME, gate->fd))
			return LOCKFILE_OK;
		if (result == LOCKFILE_BUSY)
			say_busy(sd, gate->fd, err);
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
