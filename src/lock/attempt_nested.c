#include "lock/attempt.h"

#include <errno.h>
#include <string.h>

#include "lock/held.h"

/* Adds slot `file` to the grant, called as the config spells it, else as its file is. */
static int add_slot(struct attempt *at, const char *file)
{
	const struct slots names = {.set = &at->set, .eligible = at->set.count};
	char name[NAME_MAX + 1], label[NAME_MAX + 1];

	for (unsigned i = 0; i < names.eligible; i++) {
		slots_file(&names, i, name);
		if (strcmp(name, file))
			continue;
		slots_label(&names, i, label);
		return grant_add(at->grant, file, label, -1);
	}
	return grant_add(at->grant, file, file + sizeof(GATE_SLOT_PREFIX) - 1, -1);
}

/* Decides by what was found. More than is held cannot be waited for: it would wait for itself. */
static enum step judge(struct attempt *at, const struct names *found)
{
	unsigned want = attempt_wanted(at);

	if (!found->count)
		return STEP_ON;
	if (at->job->adds_to_held) {
		at->own = found->count;
		if (attempt_closed(at) || at->own + want <= at->set.count)
			return STEP_ON;
		error_set(
			at->err,
			"%u more slots of lock '%s' asked for on top of %u already held, but group "
			"'%s' has only %u: it would wait for itself",
			want, at->want->lock, at->own, at->job->group, at->set.count);
		return STEP_ERROR;
	}
	if (found->count < want) {
		error_set(at->err,
			  "%u slots of lock '%s' asked for inside a command that holds %u of group "
			  "'%s': it would wait for itself; let the outer command ask for all",
			  want, at->want->lock, found->count, at->job->group);
		return STEP_ERROR;
	}
	at->grant = grant_new(at->want->lock, want, NULL);
	for (unsigned i = 0; at->grant && i < want; i++) {
		if (!add_slot(at, found->list[i]))
			continue;
		grant_free(at->grant);
		at->grant = NULL;
	}
	if (!at->grant) {
		error_sys(at->err, ENOMEM, "cannot list the slots held");
		return STEP_ERROR;
	}
	return STEP_NESTED;
}

enum step attempt_pass_nested(struct attempt *at)
{
	const struct acquire_job *job = at->job;
	struct names found = {0};
	enum step step = STEP_ERROR;

	if (!held_mentions(job->held, job->group, at->want->lock))
		return STEP_ON;
	if (!held_check(job->held, job->group, at->want->lock, &at->gate, &job->record.process,
			&found, at->err))
		step = judge(at, &found);
	names_free(&found);
	return step;
}

/* A waiter before us that needs more than we leave waits for us, and we would wait for it. */
static int see_waiter(void *arg, const struct record *record)
{
	const struct attempt *at = arg;

	return record && record->count > at->set.count - at->own;
}

enum step attempt_check_deadlock(struct attempt *at)
{
	int result;

	if (!at->own || attempt_closed(at) || at->own > at->set.count)
		return STEP_ON;
	result = queue_each(&at->gate, see_waiter, at, at->err);
	if (result > 0)
		error_set(at->err,
			  "more slots of lock '%s' asked for while %u of group '%s' are held and a "
			  "waiter in the queue needs those: both would wait for ever; claim them "
			  "all at once",
			  at->want->lock, at->own, at->job->group);
	return result ? STEP_ERROR : STEP_ON;
}

#define ANCESTORS_MAX 256

struct ancestors {
	const struct proc_identity *self;
	pid_t pids[ANCESTORS_MAX];
	unsigned count;
	unsigned held; /* slots */
	pid_t holder;  /* of one of them */
};

static void see_holder(void *arg, const char *label, const struct record *record)
{
	struct ancestors *ancestors = arg;
	struct proc_identity now;
	pid_t holder;

	(void)label;
	if (!record || record->state != RECORD_HELD ||
	    !proc_is_here(&record->process, ancestors->self))
		return;
	holder = record->process.pid;
	proc_other(&now, ancestors->self, holder);
	if (now.start != record->process.start)
		return;
	if (record->kind == RECORD_CLAIM) /* which its keeper, watching that process, holds */
		holder = record->script ? record->bound : 0;
	for (unsigned i = 0; i < ancestors->count; i++) {
		if (ancestors->pids[i] != holder)
			continue;
		ancestors->held++;
		ancestors->holder = holder;
	}
}

enum step attempt_check_ancestors(struct attempt *at)
{
	struct ancestors ancestors = {.self = &at->job->record.process};

	ancestors.count = proc_ancestors(ancestors.pids, ANCESTORS_MAX);
	if (slots_look(&at->sd, &at->set, at->gate.counters.top, &at->slots, see_holder, &ancestors,
		       at->err))
		return STEP_ERROR;
	if (!ancestors.held || attempt_closed(at) ||
	    ancestors.held + attempt_wanted(at) <= at->set.count)
		return STEP_ON;
	error_set(at->err,
		  "%u of %u slots of lock '%s' of group '%s' are held by process %ld, below which "
		  "this one runs: it would wait for itself; pass " HELD_VARIABLE
		  " on, as sudo --preserve-env=" HELD_VARIABLE " does",
		  ancestors.held, at->set.count, at->want->lock, at->job->group,
		  (long)ancestors.holder);
	return STEP_ERROR;
}
