#include "lock/attempt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "lock/lockfile.h"

/*
 * A gate held that long is held by nobody at work. Not even a job that must not block gives up
 * before: what is busy for microseconds does not count as busy.
 */
#define GATE_PATIENCE (5 * CLOCK_SECOND)

/* A gate or a directory that vanishes each time we open it is an error. */
#define REPLACED_TRIES 100

#define LEAST_BEAT (CLOCK_SECOND / 1000)

/* How often a claim that waits looks whether anybody is left to use it. */
#define GONE_CHECK CLOCK_SECOND

#define KEY_ONLY 0 /* the one file that is waited for here */

static const char gate_note[] =
	"waiting for the file 'gate'; the process that holds it may be stopped";

/*
 * Whether the default of SIGTSTP would stop this process. Not in a process group that nobody could
 * continue, which is said to be orphaned (setpgid(2)): no member has a parent in another group of the
 * session. Looked for among this process and those that started it: the others of a pipeline have the
 * same parent.
 */
static bool can_stop(void)
{
	pid_t parent = getppid();

	while (parent > 0 && getpgid(parent) == getpgrp())
		parent = proc_parent(parent);
	return parent > 0 && getsid(parent) == getsid(0);
}

/* Takes the SIGTSTP that is pending, as the kernel does where it stops nobody. */
static void drop_stop(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigtimedwait(&stop, NULL, &(struct timespec){0});
}

/* Not so soon that it would do nothing else, whatever was asked for. */
static void set_next_beat(struct attempt *at)
{
	int64_t interval = at->job->heartbeat;

	at->told.next_beat = clock_add(clock_now(), interval > LEAST_BEAT ? interval : LEAST_BEAT);
}

enum step attempt_open_waits(struct attempt *at)
{
	if (at->waiting)
		return STEP_ON;
	if (waitset_open(&at->waits, at->stoppable, at->err))
		return STEP_ERROR;
	at->waiting = true;
	set_next_beat(at);
	return STEP_ON;
}

enum step attempt_sleep(struct attempt *at, int64_t until, int64_t deadline, const char *note,
			struct waitset_event *event)
{
	struct pollfd gone = {.fd = at->job->gone_fd, .events = POLLIN};

	for (;;) {
		int64_t wake = until, now, look = clock_add(clock_now(), GONE_CHECK);

		if (gone.fd > 0 && poll(&gone, 1, 0) > 0) {
			error_set(at->err,
				  "process %ld, which the claim is to be bound to, has ended",
				  (long)at->job->record.bound);
			return STEP_ERROR;
		}
		if (gone.fd > 0 && look < wake)
			wake = look;
		if (deadline < wake)
			wake = deadline;
		if (at->told.next_beat < wake)
			wake = at->told.next_beat;
		waitset_wait(&at->waits, wake, event);
		if (event->kind == WAITSET_STOP) {
			if (can_stop())
				return STEP_STOP;
			drop_stop();
			continue;
		}
		if (event->kind != WAITSET_DEADLINE)
			return STEP_ON;
		now = clock_now();
		if (now >= deadline)
			return STEP_TIMEOUT;
		if (now >= at->told.next_beat) {
			set_next_beat(at);
			if (!note && at->state != ATTEMPT_HEAD)
				attempt_limit_changed(at); /* nothing of it is in use yet */
			attempt_tell(at, note ? ACQUIRE_NOTE : ACQUIRE_HEARTBEAT, note, false);
		}
		if (now >= until)
			return STEP_ON;
	}
}

/*
 * Blocks in flock(fd, operation). STEP_ON: it was granted, or nothing could be had to wait with
 * and a short while has passed: look again. STEP_TIMEOUT: the clock is at `deadline`.
 */
static enum step wait_for_file(struct attempt *at, int fd, int operation, const char *name,
			       int64_t deadline, const char *note)
{
	struct waitset_event event;
	int64_t pause = clock_add(clock_now(), ATTEMPT_PAUSE);
	enum step step = attempt_open_waits(at);
	bool can_wait;

	if (step != STEP_ON)
		return step;
	can_wait = !waitset_add(&at->waits, fd, operation, KEY_ONLY);
	step = attempt_sleep(at, can_wait ? CLOCK_NEVER : pause, deadline, note, &event);
	waitset_clear(&at->waits);
	/* ESTALE: on NFS, the file was removed on the server; look again. */
	if (step == STEP_ON && event.kind == WAITSET_FAILED && event.errnum != ESTALE) {
		lockfile_explain(&at->sd, name, event.errnum, at->err);
		return STEP_ERROR;
	}
	return step;
}

enum step attempt_wait_for_other(struct attempt *at, int fd, const char *name, int64_t deadline)
{
	enum step step = wait_for_file(at, fd, LOCK_SH, name, deadline, NULL);

	close(fd);
	return step;
}

static enum step wait_for_gate(struct attempt *at)
{
	int64_t patience = clock_add(at->began, GATE_PATIENCE), deadline = at->job->deadline;
	enum step step;

	if (at->job->nonblock || deadline < patience)
		deadline = patience;
	step = wait_for_file(at, at->gate.fd, LOCK_EX, GATE_NAME, deadline, gate_note);
	if (step == STEP_TIMEOUT) {
		attempt_tell(at, ACQUIRE_NOTE, gate_note, false);
		if (at->job->nonblock)
			step = STEP_BUSY;
	}
	if (step != STEP_ON)
		gate_close(&at->gate); /* it may have been granted unreported */
	return step;
}

enum step attempt_enter_gate(struct attempt *at)
{
	for (int i = 0; i < REPLACED_TRIES; i++) {
		enum lockfile_result result = LOCKFILE_OK;

		if (at->gate.fd < 0)
			result = gate_open(&at->gate, &at->sd, at->err);
		if (result == LOCKFILE_MISSING)
			return STEP_AGAIN;
		if (result == LOCKFILE_OK)
			result = gate_try(&at->gate, at->err);
		while (result == LOCKFILE_BUSY) {
			enum step step = wait_for_gate(at);

			if (step != STEP_ON)
				return step;
			result = gate_try(&at->gate, at->err); /* a no-op if it was granted */
		}
		if (result == LOCKFILE_OK)
			return STEP_ON;
		if (result == LOCKFILE_ERROR)
			return STEP_ERROR;
	}
	error_set(at->err, "somebody keeps replacing '%s/%s'", at->sd.path, GATE_NAME);
	return STEP_ERROR;
}

enum step attempt_leave_gate(struct attempt *at, enum step step)
{
	struct error ignored; /* the first failure is the one to tell */

	if (gate_leave(&at->gate, step == STEP_ERROR ? &ignored : at->err))
		return STEP_ERROR;
	return step;
}
