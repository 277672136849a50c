#include "cli/variables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lock/held.h"

/* execve(2) takes no string of more than 131072 bytes (MAX_ARG_STRLEN), its name included. */
#define LONGEST_VALUE 131000

/* GROUPLOCK_SLOT_<LOCK>: upper case, what no variable's name may have as '_'. */
static char *variable_of(const char *lock)
{
	char *name = NULL;

	if (asprintf(&name, "GROUPLOCK_SLOT_%s", lock) < 0)
		return NULL;
	text_variable(name);
	return name;
}

char *variables_labels(const struct grant *grant)
{
	size_t size = 1;
	char *list, *p;

	for (unsigned i = 0; i < grant_count(grant); i++)
		size += strlen(grant_label(grant, i)) + 1;
	list = p = malloc(size);
	if (!list)
		return NULL;
	*p = '\0';
	for (unsigned i = 0; i < grant_count(grant); i++)
		p += sprintf(p, "%s%s", i ? " " : "", grant_label(grant, i));
	return list;
}

int variables_held(const struct acquire_job *job, char **held)
{
	*held = NULL;
	if (job->held && !(*held = strdup(job->held)))
		return -1;
	for (unsigned i = 0; i < job->count; i++) {
		const struct grant *grant = job->grants[i];

		for (unsigned j = 0; j < grant_count(grant) && !grant_is_nested(grant); j++) {
			if (held_append(held, job->group, grant_lock(grant), grant_file(grant, j),
					job->secret)) {
				free(*held);
				*held = NULL;
				return -1;
			}
		}
	}
	return 0;
}

int variables_check_held(size_t length, struct error *err)
{
	if (length <= LONGEST_VALUE)
		return 0;
	return error_set(
		err,
		"too many slots with too long names for one environment variable: " HELD_VARIABLE
		" would have more than %d bytes",
		LONGEST_VALUE);
}

int variables_each(const struct acquire_job *job, variables_set *set, void *arg, struct error *err)
{
	char *held;
	int result = variables_held(job, &held);

	if (!result && held && variables_check_held(strlen(held), err)) {
		free(held);
		return -1;
	}
	if (!result)
		result = set(arg, "GROUPLOCK_WORKER", job->record.worker);
	if (!result)
		result = set(arg, "GROUPLOCK_GROUP", job->group);
	for (unsigned i = 0; !result && i < job->count; i++) {
		char *variable = variable_of(grant_lock(job->grants[i]));
		char *list = variables_labels(job->grants[i]);

		result = variable && list ? set(arg, variable, list) : -1;
		if (!result && i == 0)
			result = set(arg, "GROUPLOCK_SLOT", list);
		free(variable);
		free(list);
	}
	if (!result && held)
		result = set(arg, HELD_VARIABLE, held);
	free(held);
	return result ? error_sys(err, ENOMEM, "cannot set the variables") : 0;
}

bool variables_collide(const char *a, const char *b)
{
	char *of_a = variable_of(a), *of_b = variable_of(b);
	bool collide = of_a && of_b && !strcmp(of_a, of_b);

	free(of_a);
	free(of_b);
	return collide;
}

int variables_check(const struct acquire_want *wants, unsigned count, struct error *err)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (variables_collide(wants[i].lock, wants[j].lock))
				return error_set(
					err,
					"locks '%s' and '%s' cannot be taken together: both would "
					"set the same variable GROUPLOCK_SLOT_...",
					wants[j].lock, wants[i].lock);
		}
	}
	return 0;
}
