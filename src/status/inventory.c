#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/walk.h"
#include "status/look.h"

#define PAIR_SIZE (2 * NAME_MAX + 2)

/* What there may be to look at, and the taking of it. */
struct inventory {
	const struct report_query *query;
	struct error *problem; /* why there may be more locks, or empty */
	struct names groups;   /* that the config names or the directory has */
	struct names locks;    /* of the config in its order, then those only the directory has */
	unsigned in_config;    /* how many of `locks` the config has */
	struct names
		leftover; /* "group/lock": directories of locks that the config does not have */
	struct error err; /* of the walk */
	bool no_memory;
};

static bool is_asked(const struct names *asked, const char *name)
{
	return !asked->count || names_contain(asked, name);
}

static void add_group(void *arg, const char *group)
{
	struct inventory *inventory = arg;

	inventory->no_memory |= names_add(&inventory->groups, group) != 0;
}

/* A directory that looks like a lock's is one if it has a gate. */
static bool has_gate(const char *directory, const char *group, const char *lock)
{
	struct statedir sd;
	struct error ignored; /* the look at it tells */
	bool has = statedir_open(&sd, directory, group, lock, false, &ignored) == STATEDIR_OK &&
		   !faccessat(sd.fd, GATE_NAME, F_OK, AT_SYMLINK_NOFOLLOW);

	statedir_close(&sd);
	return has;
}

static void see_directory(void *arg, const char *group, const char *lock)
{
	struct inventory *inventory = arg;
	const struct names *asked = &inventory->query->groups;
	char pair[PAIR_SIZE];

	if (!text_is_folded(group))
		return;
	if (!lock) {
		/* What cannot be read may be nobody's group: more than that is for who asks for it. */
		if (is_asked(asked, group) && !*inventory->problem->text)
			*inventory->problem = inventory->err;
		if (names_contain(asked, group))
			add_group(inventory, group);
		return;
	}
	if (!text_is_folded(lock) || !has_gate(inventory->query->directory, group, lock))
		return;
	add_group(inventory, group);
	for (unsigned i = 0; i < inventory->in_config; i++) {
		if (!strcmp(inventory->locks.list[i], lock))
			return;
	}
	snprintf(pair, sizeof(pair), "%s/%s", group, lock);
	if ((!names_contain(&inventory->locks, lock) && names_add(&inventory->locks, lock)) ||
	    names_add(&inventory->leftover, pair))
		inventory->no_memory = true;
}

static int take(struct inventory *inventory, struct error *err)
{
	const struct report_query *query = inventory->query;
	const char *lock;

	config_groups(query->config, add_group, inventory);
	while ((lock = config_lock(query->config, inventory->in_config))) {
		inventory->no_memory |= names_add(&inventory->locks, lock) != 0;
		inventory->in_config++;
	}
	if (!inventory->no_memory &&
	    walk_locks(query->directory, see_directory, inventory, &inventory->err))
		*inventory->problem = inventory->err;
	names_sort(&inventory->groups);
	return inventory->no_memory ? error_sys(err, ENOMEM, "cannot make a report") : 0;
}

/* Whether all that the user asked for is there. */
static int check_asked(const char *what, const struct names *asked, const struct names *known,
		       const struct report_query *query, struct error *err)
{
	for (unsigned i = 0; i < asked->count; i++) {
		struct suggest suggest;
		char list[512];

		if (names_contain(known, asked->list[i]))
			continue;
		names_join(known, list, sizeof(list));
		suggest_begin(&suggest, asked->list[i]);
		for (unsigned j = 0; j < known->count; j++)
			suggest_offer(&suggest, known->list[j]);
		error_set(err, "no %s '%s' in '%s' or '%s'; there are: %s", what, asked->list[i],
			  config_path(query->config), query->directory, list);
		return suggest_append(&suggest, err);
	}
	return 0;
}

static int add_lock(struct report *report, const char *group, const char *lock, bool limited,
		    struct error *err)
{
	struct report_lock *added;

	if (report->count == report->room) {
		unsigned room = report->room ? 2 * report->room : 16;
		struct report_lock *locks = realloc(report->locks, room * sizeof(*locks));

		if (!locks)
			return error_sys(err, ENOMEM, "cannot make a report");
		report->locks = locks;
		report->room = room;
	}
	added = &report->locks[report->count++];
	*added = (struct report_lock){.limited = limited};
	added->group = strdup(group);
	added->lock = strdup(lock);
	if (added->group && added->lock)
		return 0;
	return error_sys(err, ENOMEM, "cannot make a report");
}

static int list(struct report *report, const struct inventory *inventory, struct error *err)
{
	const struct names *groups = &inventory->groups, *locks = &inventory->locks;

	for (unsigned i = 0; i < groups->count; i++) {
		for (unsigned j = 0; j < locks->count; j++) {
			const char *group = groups->list[i], *lock = locks->list[j];
			bool limited = j < inventory->in_config;
			char pair[PAIR_SIZE];

			snprintf(pair, sizeof(pair), "%s/%s", group, lock);
			if (is_asked(&inventory->query->groups, group) &&
			    is_asked(&inventory->query->locks, lock) &&
			    (limited || names_contain(&inventory->leftover, pair)) &&
			    add_lock(report, group, lock, limited, err))
				return -1;
		}
	}
	return 0;
}

int report_list_locks(struct report *report, const struct report_query *query, bool exists,
		      struct error *err)
{
	struct inventory inventory = {.query = query, .problem = &report->problem};
	int result = take(&inventory, err);

	if (!result)
		result = check_asked("group", &query->groups, &inventory.groups, query, err);
	if (!result)
		result = check_asked("lock", &query->locks, &inventory.locks, query, err);
	if (!result && exists)
		result = list(report, &inventory, err);
	names_free(&inventory.groups);
	names_free(&inventory.locks);
	names_free(&inventory.leftover);
	return result;
}
