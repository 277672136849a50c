#include "lock/attempt.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "lock/lockfile.h"

/* How often the head looks whether the limit was changed. */
#define RECHECK CLOCK_SECOND

/*
 * How long a head sleeps before it says so if the slots' commands have ended: their keepers need
 * microseconds, and who runs one command after the other does not want to read of it.
 */
#define BRIEF_WAIT (CLOCK_SECOND / 4)

/*
 * How long a newcomer that must not block waits for keepers whose commands have ended. They need microseconds; one
 * that was killed, and left its slot to a daemon, never comes. And for slots of which nobody here can tell.
 */
#define ENDING_PATIENCE CLOCK_SECOND
#define DOUBTFUL_PATIENCE (CLOCK_SECOND / 20)

/* What goes into a slot now (job->kind), or into a ticket (RECORD_WAIT). */
static const struct record_text *own_text(struct attempt *at, enum record_kind kind,
					  struct record_text *text)
{
	struct record *record = &at->job->record;

	record->kind = kind;
	record->since = clock_wall();
	record->count = attempt_wanted(at);
	*record->id = '\0'; /* a waiter holds nothing that a nested call could refer to */
	if (kind != RECORD_WAIT)
		record_id(at->job->secret, record->id);
	record_format(record, text);
	return text;
}

static bool must_not_block(const struct attempt *at)
{
	return at->job->nonblock || clock_now() >= at->job->deadline;
}

static int open_slots(struct attempt *at)
{
	return slots_open(&at->slots, &at->sd, &at->set, at->gate.counters.top, at->err);
}

static int survey(struct attempt *at)
{
	struct record_text text;

	return slots_survey(&at->slots, attempt_wanted(at), own_text(at, at->job->kind, &text),
			    at->err);
}

/*
 * Under the gate, the queue is empty: a holder if the slots are to be had, still a newcomer if not,
 * or STEP_ENDING if they soon will be and it must not enter the queue; *ending is then the file of
 * a slot that is about to be free, or -1.
 */
static enum step take_free_slots(struct attempt *at, int *ending)
{
	const struct proc_identity *self = &at->job->record.process;
	enum step step = STEP_ON;

	if (open_slots(at) || survey(at))
		return STEP_ERROR;
	if (slots_admissible(&at->slots, attempt_wanted(at))) {
		attempt_use_limit(at);
		at->state = ATTEMPT_HOLDER;
		return STEP_ON;
	}
	at->told.too_brief = slots_are_ending(&at->slots, attempt_wanted(at), self, false, ending);
	at->patience = at->began + (at->told.too_brief ? ENDING_PATIENCE : DOUBTFUL_PATIENCE);
	if (must_not_block(at) && clock_now() < at->patience &&
	    (at->told.too_brief ||
	     slots_are_ending(&at->slots, attempt_wanted(at), self, true, ending)))
		step = STEP_ENDING;
	slots_close(&at->slots);
	return step;
}

/* A newcomer's turn under the gate: it becomes a holder, or enters the queue, or STEP_ENDING. */
static enum step try_or_enter_queue(struct attempt *at, int *ending)
{
	struct record_text text;
	enum step step;
	bool empty;

	/* It may have changed while this waited for the gate, for another lock, or was stopped. */
	attempt_limit_changed(at);
	step = attempt_pass_nested(at);
	if (step == STEP_ON)
		step = attempt_check_possible(at);
	if (step != STEP_ON)
		return step;
	attempt_compare_limit(at);
	if (queue_is_empty(&at->gate, &empty, at->err))
		return STEP_ERROR;
	if (empty)
		step = take_free_slots(at, ending);
	if (step != STEP_ON || at->state == ATTEMPT_HOLDER)
		return step;
	if (must_not_block(at)) {
		attempt_tell(at, ACQUIRE_GAVE_UP, NULL, true);
		return at->job->nonblock ? STEP_BUSY : STEP_TIMEOUT;
	}
	if (attempt_check_deadlock(at) != STEP_ON || attempt_check_ancestors(at) != STEP_ON ||
	    queue_enter(&at->gate, &at->ticket, own_text(at, RECORD_WAIT, &text), at->err))
		return STEP_ERROR;
	at->state = ATTEMPT_IN_QUEUE;
	return STEP_ON;
}

/* A newcomer's turns, until it has its slots or a ticket. */
static enum step arrive(struct attempt *at)
{
	for (;;) {
		enum step step = attempt_enter_gate(at);
		int ending = -1;

		if (step == STEP_ON)
			step = attempt_leave_gate(at, try_or_enter_queue(at, &ending));
		if (step != STEP_ENDING) {
			if (ending >= 0)
				close(ending);
			return step;
		}
		step = attempt_wait_for_other(at, ending, "slot", at->patience);
		if (step != STEP_ON && step != STEP_TIMEOUT)
			return step;
	}
}

static void tell_wait(struct attempt *at, bool entered)
{
	at->told.waits = true;
	attempt_tell(at, ACQUIRE_WAITS, NULL, entered);
}

/* Waits until no live ticket is before ours (I3), each time for the nearest one only (I7). */
static enum step wait_in_queue(struct attempt *at)
{
	for (;;) {
		enum step step = attempt_enter_gate(at);
		int before = -1;

		if (step != STEP_ON)
			return step;
		if (queue_before(&at->gate, &at->ticket, &before, at->err))
			step = STEP_ERROR;
		else if (!queue_is_intact(&at->sd, &at->ticket))
			step = STEP_AGAIN; /* nobody who comes now would see us */
		else if (before < 0)
			at->state = ATTEMPT_HEAD;
		else if (!at->told.waits)
			tell_wait(at, true);
		step = attempt_leave_gate(at, step);
		if (before < 0)
			return step;
		if (step != STEP_ON) {
			close(before);
			return step;
		}
		step = attempt_wait_for_other(at, before, GATE_TICKET_PREFIX "*",
					      at->job->deadline);
		at->told.outdated = true;
		if (step != STEP_ON)
			return step;
	}
}

/* Under the gate: counts, keeps what it can get, and becomes a holder if that is enough. */
static enum step survey_as_head(struct attempt *at)
{
	bool doubted;

	if (queue_heal(&at->gate, &at->ticket, at->err))
		return STEP_ERROR;
	if (!queue_is_intact(&at->sd, &at->ticket))
		return STEP_AGAIN;
	if (attempt_limit_changed(at)) { /* while this was in the queue, or slept */
		at->impossible = false;
		/* A closed group is a wait with no end to be seen: do not be silent. */
		at->told.outdated |= attempt_closed(at);
	}
	if (attempt_check_possible(at) != STEP_ON) {
		/* A file that is just being written says all kinds of things: believe it twice. */
		if (at->impossible)
			return STEP_ERROR;
		at->impossible = true;
		slots_close(&at->slots);
		return open_slots(at) ? STEP_ERROR : STEP_ON;
	}
	if (at->slots.slot && !slots_cover(&at->slots, at->gate.counters.top))
		slots_close(&at->slots); /* the counters were rebuilt: there is more to count */
	if ((!at->slots.slot && open_slots(at)) || survey(at))
		return STEP_ERROR;
	attempt_use_limit(at);
	if (!slots_admissible(&at->slots, attempt_wanted(at))) {
		doubted = at->impossible;
		at->impossible = attempt_check_ancestors(at) != STEP_ON;
		return at->impossible && doubted ? STEP_ERROR : STEP_ON;
	}
	if (queue_advance(&at->gate, &at->ticket, at->err))
		return STEP_ERROR;
	at->state = ATTEMPT_HOLDER;
	return STEP_ON;
}

/*
 * Sleeps on all busy slots at once until another survey is worth its while: one fell free (*freed
 * is its position), the limit may have changed, or somebody has removed our ticket.
 */
static enum step wait_for_change(struct attempt *at, int *freed)
{
	struct slots *slots = &at->slots;
	struct waitset_event event;
	bool all = true; /* can be waited for */
	enum step step;

	for (unsigned i = 0; i < slots->total; i++) {
		/* LOCK_SH: to learn that it is free. Only a survey, under the gate, takes it. */
		if (slots->slot[i].state == SLOT_BUSY &&
		    waitset_add(&at->waits, slots->slot[i].fd, LOCK_SH, (int)i))
			all = false;
	}
	do {
		int64_t sleep = !all ? ATTEMPT_PAUSE : at->told.too_brief ? BRIEF_WAIT : RECHECK;

		step = attempt_sleep(at, clock_add(clock_now(), sleep), at->job->deadline, NULL,
				     &event);
		if (step == STEP_ON && event.kind == WAITSET_DEADLINE && at->told.too_brief) {
			at->told.too_brief = false;
			tell_wait(at, false);
		}
	} while (step == STEP_ON && event.kind == WAITSET_DEADLINE && all && !at->impossible &&
		 !attempt_config_changed(at) && queue_is_intact(&at->sd, &at->ticket));
	waitset_clear(&at->waits);
	if (step != STEP_ON || event.kind == WAITSET_DEADLINE)
		return step;
	*freed = event.key;
	if (event.kind == WAITSET_FAILED && event.errnum != ESTALE) {
		char file[NAME_MAX + 1];

		slots_file(slots, (unsigned)event.key, file);
		lockfile_explain(&at->sd, file, event.errnum, at->err);
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

	if (freed < 0 || (unsigned)freed >= at->slots.total ||
	    at->slots.slot[freed].state != SLOT_BUSY)
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
		step = attempt_enter_gate(at);
		if (step != STEP_ON)
			return step;
		step = attempt_leave_gate(at, survey_as_head(at));
		if (step != STEP_ON || at->state == ATTEMPT_HOLDER)
			return step;
		if (!at->told.too_brief && !at->told.waits)
			tell_wait(at, false);
		else if (at->told.outdated)
			attempt_tell(at, ACQUIRE_FIRST, NULL, false);
		at->told.outdated = false;
		step = pause_if_shared(at, freed);
		freed = -1;
		if (step == STEP_ON)
			step = wait_for_change(at, &freed);
	}
	return step;
}

enum step attempt_run(struct attempt *at)
{
	enum step step = arrive(at);

	if (step == STEP_ON && at->state == ATTEMPT_IN_QUEUE)
		step = wait_in_queue(at);
	if (step == STEP_ON && at->state == ATTEMPT_HEAD)
		step = take_as_head(at);
	if ((step == STEP_TIMEOUT || step == STEP_BUSY) && !at->told.gave_up)
		attempt_tell(at, ACQUIRE_GAVE_UP, NULL, false);
	return step;
}
