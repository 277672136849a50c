#include "lock/attempt.h"

#include <stdio.h>
#include <string.h>

unsigned attempt_wanted(const struct attempt *at)
{
	if (!at->want->all)
		return at->want->count;
	return at->set.count ? at->set.count : 1;
}

bool attempt_closed(const struct attempt *at)
{
	return at->set.count == 0;
}

enum step attempt_check_possible(struct attempt *at)
{
	if (attempt_closed(at) || attempt_wanted(at) <= at->set.count)
		return STEP_ON;
	error_set(at->err,
		  "%u slots of lock '%s' asked for, but group '%s' has only %u: it would wait for "
		  "ever",
		  attempt_wanted(at), at->want->lock, at->job->group, at->set.count);
	return STEP_ERROR;
}

static bool same_slots(const struct slotset *a, const struct slotset *b)
{
	if (a->count != b->count || !a->names != !b->names)
		return false;
	for (unsigned i = 0; a->names && i < a->count; i++) {
		if (strcmp(a->names[i], b->names[i]))
			return false;
	}
	return true;
}

static const struct config *config_in_force(const struct attempt *at)
{
	return at->fresh ? at->fresh : at->job->config;
}

bool attempt_config_changed(const struct attempt *at)
{
	return config_changed(config_in_force(at));
}

bool attempt_limit_changed(struct attempt *at)
{
	struct config *now;
	struct slotset set;
	struct error reason;

	if (!attempt_config_changed(at))
		return false;
	now = config_load_for(config_path(config_in_force(at)), NULL, &reason);
	if (!now || config_slots(now, at->want->lock, at->job->group, &set, &reason)) {
		char note[sizeof(reason.text) + 64];

		config_free(now);
		if (at->told.config_broken)
			return false;
		at->told.config_broken = true;
		snprintf(note, sizeof(note), "keeping the limit of %u: %s", at->set.count,
			 reason.text);
		attempt_tell(at, ACQUIRE_NOTE, note, false);
		return false;
	}
	config_free(at->fresh);
	at->fresh = now;
	at->told.config_broken = false;
	if (same_slots(&set, &at->set)) {
		slotset_free(&set);
		return false;
	}
	slots_close(&at->slots);
	slotset_free(&at->set);
	at->set = set;
	return true;
}

void attempt_use_limit(struct attempt *at)
{
	struct gate_counters *counters = &at->gate.counters;
	uint32_t limit = at->set.count, top = slots_top(&at->slots);

	at->gate.dirty |= counters->limit != limit || counters->top != top;
	counters->limit = limit;
	counters->top = top;
}

void attempt_compare_limit(struct attempt *at)
{
	uint32_t last = at->gate.counters.limit;
	char note[256];

	if (at->told.other_limit || last == GATE_NO_LIMIT || last == at->set.count)
		return;
	at->told.other_limit = true;
	snprintf(note, sizeof(note),
		 "the limit is %u here, but was %u for the last caller; unless groups.ini "
		 "was just changed, its copies differ",
		 at->set.count, last);
	attempt_tell(at, ACQUIRE_NOTE, note, true);
}
