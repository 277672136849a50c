#include "attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "held.h"

/* What the caller's tree holds of this lock. */
struct found {
	char *files[CONFIG_MAX_SLOTS];
	unsigned count;
	bool no_memory;
};

static void see_held(void *arg, const char *file)
{
	struct found *found = arg;

	if (found->count == CONFIG_MAX_SLOTS)
		return;
	found->files[found->count] = strdup(file);
	if (found->files[found->count])
		found->count++;
	else
		found->no_memory = true;
}

/* Adds slot `file` to the grant, called as the config spells it, else as its file is. */
static bool add_slot(struct acquire_grant *grant, const char *file)
{
	const struct slots names = {.set = &grant->set, .eligible = grant->set.count};
	char name[NAME_MAX + 1], label[NAME_MAX + 1];

	for (unsigned i = 0; i < names.eligible; i++) {
		slots_file(&names, i, name);
		if (strcmp(name, file))
			continue;
		slots_label(&names, i, label);
		return acquire_grant_add(grant, file, label);
	}
	return acquire_grant_add(grant, file, file + sizeof(GATE_SLOT_PREFIX) - 1);
}

/* Decides by what was found. More than is held cannot be waited for: it would wait for itself. */
static enum step judge(struct attempt *at, const struct found *found)
{
	struct acquire_grant *grant = at->grant;
	unsigned want = attempt_wanted(at);
	bool good;

	if (!found->count)
		return STEP_ON;
	if (found->count < want) {
		error_set(at->err, "%u slots of lock '%s' asked for inside a command that holds %u of group "
			  "'%s': it would wait for itself; let the outer command ask for all", want,
			  at->want->lock, found->count, at->job->group);
		return STEP_ERROR;
	}
	good = acquire_grant_reserve(grant, want);
	for (unsigned i = 0; good && i < want; i++)
		good = add_slot(grant, found->files[i]);
	if (!good) {
		error_sys(at->err, ENOMEM, "cannot list the slots held");
		return STEP_ERROR;
	}
	grant->nested = true;
	return STEP_NESTED;
}

enum step attempt_pass_nested(struct attempt *at)
{
	const struct acquire_job *job = at->job;
	struct found found = {.count = 0};
	enum step step = STEP_ERROR;

	if (!held_mentions(job->held, job->group, at->want->lock))
		return STEP_ON;
	if (!held_check(job->held, job->group, at->want->lock, &at->gate, &job->record.process, see_held,
			&found, at->err)) {
		if (found.no_memory)
			error_sys(at->err, ENOMEM, "cannot list the slots held");
		else
			step = judge(at, &found);
	}
	for (unsigned i = 0; i < found.count; i++)
		free(found.files[i]);
	return step;
}
