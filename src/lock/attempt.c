#include "lock/attempt.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "lock/lockfile.h"

/* How often the head looks whether the limit was changed: the only thing that is ever polled. */
#define RECHECK CLOCK_SECOND

/*
 * How long a head sleeps before it says so if the slots' commands have ended: their keepers need
 * microseconds, and who runs one command after the other does not want to read of it.
 */
#define SOFT_WAIT (CLOCK_SECOND / 4)

/*
 * How long a newcomer that may not wait waits for keepers whose commands have ended. They need microseconds; one
 * that was killed, and left its slot to a daemon, never comes.
 */
#define ENDING_PATIENCE CLOCK_SECOND

/* The text that goes into a slot now. */
static const struct record_text *holder_text(struct attempt *at, struct record_text *text)
{
	struct record *record = &at->job->record;

	record->kind = at->job->kind;
	record->since = clock_wall();
	record->count = attempt_wanted(at);
	record_id(at->job->secret, record->id);
	record_format(record, text);
	return text;
}

static const struct record_text *waiter_text(struct attempt *at, struct record_text *text)
{
	struct record *record = &at->job->record;

	record->kind = RECORD_WAIT;
	record->since = clock_wall();
	record->count = attempt_wanted(at);
	*record->id = '\0'; /* a waiter holds nothing that a nested call could refer to */
	record_format(record, text);
	return text;
}

static bool may_not_wait(const struct attempt *at)
{
	return at->job->nonblock || clock_now() >= at->job->deadline;
}

static void tell_wait(struct attempt *at, bool entered)
{
	at->told = true;
	attempt_tell(at, ACQUIRE_WAITS, NULL, entered);
}

/*
 * Under the gate, nobody in line: takes the slots if they are to be had. STEP_BUSY if not, with
 * at->soft if they soon will be, or STEP_ENDING for who may not line up; *ending is then the file
 * of a slot that is about to be free, or -1.
 */
static enum step take_free_slots(struct attempt *at, int *ending)
{
	enum step step = STEP_BUSY;
	struct acquire_grant *grant = at->grant;
	struct record_text text;

	if (slots_open(&grant->slots, &grant->sd, &grant->set, at->gate.counters.top, at->err) ||
	    slots_survey(&grant->slots, attempt_wanted(at), holder_text(at, &text), at->err))
		return STEP_ERROR;
	if (slots_admissible(&grant->slots, attempt_wanted(at))) {
		attempt_use_limit(at);
		return STEP_ON;
	}
	at->soft = slots_are_ending(&grant->slots, attempt_wanted(at), &at->job->record.process,
				    ending);
	if (at->soft && may_not_wait(at) && clock_now() < at->began + ENDING_PATIENCE)
		step = STEP_ENDING;
	slots_close(&grant->slots);
	return step;
}

/* A newcomer's turn under the gate: slots, or a ticket (at->ticket.fd >= 0), or STEP_ENDING. */
static enum step try_or_line_up(struct attempt *at, int *ending)
{
	struct record_text text;
	enum step step;
	bool empty;

	attempt_limit_changed(
		at); /* while this waited for the gate, for another lock, or was stopped */
	step = attempt_pass_nested(at);
	if (step == STEP_ON)
		step = attempt_check_possible(at);
	if (step != STEP_ON)
		return step;
	attempt_compare_limit(at);
	if (queue_is_empty(&at->gate, &empty, at->err))
		return STEP_ERROR;
	step = empty ? take_free_slots(at, ending) : STEP_BUSY;
	if (step != STEP_BUSY)
		return step;
	if (may_not_wait(at)) {
		attempt_tell(at, ACQUIRE_GAVE_UP, NULL, true);
		return at->job->nonblock ? STEP_BUSY : STEP_TIMEOUT;
	}
	step = attempt_check_deadlock(at);
	if (step == STEP_ON && queue_enter(&at->gate, &at->ticket, waiter_text(at, &text), at->err))
		step = STEP_ERROR;
	return step;
}

/* Waits until no live ticket is before ours (I3), each time for the nearest one only (I7). */
static enum step wait_in_line(struct attempt *at)
{
	for (;;) {
		enum step step = attempt_enter_gate(at);
		int before = -1;

		if (step != STEP_ON)
			return step;
		if (queue_before(&at->gate, &at->ticket, &before, at->err))
			step = STEP_ERROR;
		else if (!queue_is_intact(&at->grant->sd, &at->ticket))
			step = STEP_AGAIN; /* nobody who comes now would see us */
		else if (!at->told && before >= 0)
			tell_wait(at, true);
		step = attempt_leave_gate(at, step);
		if (before < 0)
			return step;
		if (step != STEP_ON) {
			close(before);
			return step;
		}
		step = attempt_wait_for_ticket(at, before);
		at->news = true;
		if (step != STEP_ON)
			return step;
	}
}

/* Under the gate: counts, keeps what it can get, and leaves the line if that is enough. */
static enum step survey_as_head(struct attempt *at, bool *done)
{
	struct acquire_grant *grant = at->grant;
	struct record_text text;
	unsigned top;

	if (queue_heal(&at->gate, &at->ticket, at->err))
		return STEP_ERROR;
	if (!queue_is_intact(&grant->sd, &at->ticket))
		return STEP_AGAIN;
	top = at->gate.counters.top;
	if (attempt_limit_changed(at)) { /* while this was in line, or slept */
		at->impossible = false;
		at->news |=
			attempt_closed(at); /* this wait has no end to be seen: do not be silent */
	}
	if (attempt_check_possible(at) != STEP_ON) {
		/* A file that is just being written says all kinds of things: believe it twice. */
		if (at->impossible)
			return STEP_ERROR;
		at->impossible = true;
		slots_close(&grant->slots);
		return slots_open(&grant->slots, &grant->sd, &grant->set, top, at->err) ? STEP_ERROR
											: STEP_ON;
	}
	at->impossible = false;
	if (grant->slots.slot && !slots_cover(&grant->slots, top))
		slots_close(&grant->slots); /* the counters were rebuilt: there is more to count */
	if (!grant->slots.slot && slots_open(&grant->slots, &grant->sd, &grant->set, top, at->err))
		return STEP_ERROR;
	if (slots_survey(&grant->slots, attempt_wanted(at), holder_text(at, &text), at->err))
		return STEP_ERROR;
	attempt_use_limit(at);
	*done = slots_admissible(&grant->slots, attempt_wanted(at));
	if (*done && queue_advance(&at->gate, &at->ticket, at->err))
		return STEP_ERROR;
	return STEP_ON;
}

/* Starts to wait for every busy slot at once. False: not for all of them could it. */
static bool wait_for_busy(struct attempt *at)
{
	struct slots *slots = &at->grant->slots;
	bool all = true;

	for (unsigned i = 0; i < slots->total; i++) {
		/* LOCK_SH: to learn that it is free. Only a survey, under the gate, takes it. */
		if (slots->slot[i].state == SLOT_BUSY &&
		    waitset_add(&at->waits, slots->slot[i].fd, LOCK_SH, (int)i))
			all = false;
	}
	return all;
}

/* How long the head may sleep before it has something to do that no lock wakes it for. */
static int64_t next_look(const struct attempt *at, bool all)
{
	return clock_add(clock_now(), !all ? ATTEMPT_PAUSE : at->soft ? SOFT_WAIT : RECHECK);
}

/*
 * Sleeps on all busy slots until another survey is worth its while: one fell free (*freed is its
 * position), the limit may have changed, or somebody has removed our ticket.
 */
static enum step wait_for_change(struct attempt *at, int *freed)
{
	bool all = wait_for_busy(at);
	struct waitset_event event;
	enum step step;

	do {
		step = attempt_sleep(at, next_look(at, all), at->job->deadline, NULL, &event);
		if (step == STEP_ON && event.kind == WAITSET_DEADLINE && at->soft) {
			at->soft = false;
			tell_wait(at, false);
		}
	} while (step == STEP_ON && event.kind == WAITSET_DEADLINE && all && !at->impossible &&
		 !attempt_config_changed(at) && queue_is_intact(&at->grant->sd, &at->ticket));
	waitset_clear(&at->waits);
	if (step != STEP_ON || event.kind == WAITSET_DEADLINE)
		return step;
	*freed = event.key;
	if (event.kind == WAITSET_FAILED && event.errnum != ESTALE) {
		char file[NAME_MAX + 1];

		slots_file(&at->grant->slots, (unsigned)event.key, file);
		lockfile_explain(&at->grant->sd, file, event.errnum, at->err);
		return STEP_ERROR;
	}
	return STEP_ON;
}

/*
 * Somebody else has LOCK_SH on a slot that fell free: a look of a program that is not ours. It
 * keeps us from taking the slot but not from being told that it is free: do not spin.
 */
static enum step pause_if_shared(struct attempt *at, int freed)
{
	struct waitset_event event;

	if (freed < 0 || (unsigned)freed >= at->grant->slots.total ||
	    at->grant->slots.slot[freed].state != SLOT_BUSY)
		return STEP_ON;
	return attempt_sleep(at, clock_add(clock_now(), ATTEMPT_PAUSE), at->job->deadline, NULL,
			     &event);
}

/* The head's rounds: survey, and if that was not enough, sleep on all busy slots. */
static enum step take_as_head(struct attempt *at)
{
	enum step step = attempt_open_waits(at);
	int freed = -1;

	while (step == STEP_ON) {
		bool done = false;

		step = attempt_enter_gate(at);
		if (step != STEP_ON)
			return step;
		step = attempt_leave_gate(at, survey_as_head(at, &done));
		if (step != STEP_ON || done)
			return step;
		if (!at->soft && !at->told)
			tell_wait(at, false);
		else if (at->news)
			attempt_tell(at, ACQUIRE_FIRST, NULL, false);
		at->news = false;
		step = pause_if_shared(at, freed);
		freed = -1;
		if (step == STEP_ON)
			step = wait_for_change(at, &freed);
	}
	return step;
}

/* A newcomer's turns, until it has its slots or a ticket. */
static enum step arrive(struct attempt *at)
{
	for (;;) {
		enum step step = attempt_enter_gate(at);
		int ending = -1;

		if (step == STEP_ON)
			step = attempt_leave_gate(at, try_or_line_up(at, &ending));
		if (step != STEP_ENDING) {
			if (ending >= 0)
				close(ending);
			return step;
		}
		step = attempt_wait_for_ending(at, ending, at->began + ENDING_PATIENCE);
		if (step != STEP_ON)
			return step;
	}
}

enum step attempt_run(struct attempt *at)
{
	enum step step = arrive(at);

	if (step == STEP_ON && at->ticket.fd >= 0) {
		step = wait_in_line(at);
		if (step == STEP_ON)
			step = take_as_head(at);
	}
	if ((step == STEP_TIMEOUT || step == STEP_BUSY) && !at->gave_up)
		attempt_tell(at, ACQUIRE_GAVE_UP, NULL, false);
	return step;
}
