#include "attempt.h"

#include <unistd.h>

#include "clock.h"
#include "lockfile.h"

/* How often the head looks whether the limit was changed: the only thing that is ever polled. */
#define RECHECK CLOCK_SECOND

/*
 * How long a newcomer waits for keepers whose commands have ended. They need microseconds; one
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

/*
 * Under the gate, nobody in line: takes the slots if they are to be had. STEP_BUSY if not, or
 * STEP_ENDING with a file to wait for.
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
	if (clock_now() < at->began + ENDING_PATIENCE &&
	    slots_are_ending(&grant->slots, attempt_wanted(at), &at->job->record.process, ending))
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

	attempt_limit_changed(at); /* while this waited for the gate, for another lock, or was stopped */
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
	if (at->job->nonblock || clock_now() >= at->job->deadline) {
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
		char name[QUEUE_NAME_SIZE];
		enum step step = attempt_enter_gate(at);
		int before = -1;

		if (step != STEP_ON)
			return step;
		if (queue_before(&at->gate, &at->ticket, &before, at->err))
			step = STEP_ERROR;
		else if (!at->moved_up)
			attempt_tell(at, ACQUIRE_WAITS, NULL, true);
		step = attempt_leave_gate(at, step);
		if (before < 0)
			return step;
		if (step != STEP_ON) {
			close(before);
			return step;
		}
		queue_name(name, at->ticket.number);
		step = attempt_wait_for_ticket(at, before, name);
		at->moved_up = true;
		if (step != STEP_ON)
			return step;
	}
}

/* Under the gate: counts, keeps what it can get, and leaves the line if that is enough. */
static enum step survey_as_head(struct attempt *at, bool *done)
{
	struct acquire_grant *grant = at->grant;
	unsigned top = at->gate.counters.top;
	struct record_text text;

	attempt_limit_changed(at); /* while this was in line, or slept */
	if (attempt_check_possible(at) != STEP_ON)
		return STEP_ERROR;
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
		if (slots->slot[i].state == SLOT_BUSY &&
		    waitset_add(&at->waits, slots->slot[i].fd, slots_wait_operation(slots, i), (int)i))
			all = false;
	}
	return all;
}

/* One of the slots waited for was granted, or cannot be. */
static enum step take_granted(struct attempt *at, const struct waitset_event *event, bool *again)
{
	struct slots *slots = &at->grant->slots;
	unsigned i = (unsigned)event->key;
	struct record_text text;
	char file[NAME_MAX + 1];

	if (event->kind == WAITSET_FAILED) {
		slots_file(slots, i, file);
		lockfile_explain(&at->grant->sd, file, event->errnum, at->err);
		return STEP_ERROR;
	}
	if (slots_granted(slots, i, attempt_wanted(at), holder_text(at, &text), again, at->err))
		return STEP_ERROR;
	return STEP_ON;
}

/* Sleeps on all busy slots, taking what is granted, until another survey is worth its while. */
static enum step gather(struct attempt *at)
{
	bool all = wait_for_busy(at), again = false;
	enum step step = STEP_ON;

	while (step == STEP_ON && !again && !slots_admissible(&at->grant->slots, attempt_wanted(at))) {
		struct waitset_event event;

		step = attempt_sleep(at, clock_add(clock_now(), all ? RECHECK : ATTEMPT_PAUSE), at->job->deadline,
				     NULL, &event);
		if (step != STEP_ON)
			break;
		if (event.kind == WAITSET_DEADLINE)
			again = !all || attempt_config_changed(at);
		else
			step = take_granted(at, &event, &again);
	}
	waitset_clear(&at->waits);
	return step;
}

/* The head's rounds: survey, and if that was not enough, sleep on all busy slots. */
static enum step take_as_head(struct attempt *at)
{
	enum step step = attempt_open_waits(at);

	if (step != STEP_ON)
		return step;
	for (bool done = false;;) {
		step = attempt_enter_gate(at);
		if (step != STEP_ON)
			return step;
		step = attempt_leave_gate(at, survey_as_head(at, &done));
		if (step != STEP_ON || done)
			return step;
		if (at->moved_up)
			attempt_tell(at, ACQUIRE_FIRST, NULL, false);
		at->moved_up = false;
		step = gather(at);
		if (step != STEP_ON)
			return step;
	}
}

/* A newcomer's turns, until it has its slots or a ticket. */
static enum step arrive(struct attempt *at)
{
	for (;;) {
		enum step step = attempt_enter_gate(at);
		int ending = -1;

		if (step == STEP_ON)
			step = attempt_leave_gate(at, try_or_line_up(at, &ending));
		if (ending < 0)
			return step;
		if (step == STEP_ENDING)
			step = attempt_wait_for_ending(at, ending, at->began + ENDING_PATIENCE);
		else
			close(ending);
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
