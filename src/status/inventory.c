#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/walk.h"
#include "status/look.h"

struct taking {
	struct report_inventory *inventory;
	const struct report_query *query;
	struct error *problem; /* why there may be more locks */
	struct error err;      /* of the walk */
	bool no_memory;
};

static void add_group(void *arg, const char *group)
{
	struct taking *taking = arg;

	taking->no_memory |= names_add(&taking->inventory->groups, group) != 0;
}

static bool is_folded(const char *name)
{
	char folded[NAME_MAX + 1];

	snprintf(folded, sizeof(folded), "%s", name);
	text_fold(folded);
	return !strcmp(folded, name);
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

/* A group that cannot be read may be nobody's, so only who asks for it is shown more than that. */
static void see_unread(struct taking *taking, const char *group)
{
	const struct names *asked = &taking->query->groups;

	if ((!asked->count || names_contain(asked, group)) && !*taking->problem->text)
		*taking->problem = taking->err;
	if (names_contain(asked, group))
		add_group(taking, group);
}

static void see_directory(void *arg, const char *group, const char *lock)
{
	struct taking *taking = arg;
	struct report_inventory *inventory = taking->inventory;
	char pair[2 * NAME_MAX + 2];

	if (!is_folded(group))
		return;
	if (!lock) {
		see_unread(taking, group);
		return;
	}
	if (!is_folded(lock) || !has_gate(taking->query->directory, group, lock))
		return;
	add_group(taking, group);
	for (unsigned i = 0; i < inventory->in_config; i++) {
		if (!strcmp(inventory->locks.list[i], lock))
			return;
	}
	snprintf(pair, sizeof(pair), "%s/%s", group, lock);
	if ((!names_contain(&inventory->locks, lock) && names_add(&inventory->locks, lock)) ||
	    names_add(&inventory->leftover, pair))
		taking->no_memory = true;
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

int report_take_inventory(struct report_inventory *inventory, const struct report_query *query,
			  struct error *problem, struct error *err)
{
	struct taking taking = {.inventory = inventory, .query = query, .problem = problem};
	const char *lock;

	config_groups(query->config, add_group, &taking);
	while ((lock = config_lock(query->config, inventory->in_config))) {
		taking.no_memory |= names_add(&inventory->locks, lock) != 0;
		inventory->in_config++;
	}
	if (!taking.no_memory && walk_locks(query->directory, see_directory, &taking, &taking.err))
		*problem = taking.err;
	names_sort(&inventory->groups);
	if (taking.no_memory)
		return error_sys(err, ENOMEM, "cannot make a report");
	if (check_asked("group", &query->groups, &inventory->groups, query, err))
		return -1;
	return check_asked("lock", &query->locks, &inventory->locks, query, err);
}

void report_free_inventory(struct report_inventory *inventory)
{
	names_free(&inventory->groups);
	names_free(&inventory->locks);
	names_free(&inventory->leftover);
}
