#include <errno.h>
#include <string.h>

#include "base/suggest.h"
#include "cli/which.h"

static const char *const kinds[WHICH_LISTS] = {"workers", "groups", "locks"};

int which_list_kind(const char *word, enum which_list *list, struct error *err)
{
	struct suggest suggest;

	suggest_begin(&suggest, word);
	for (int i = 0; i < WHICH_LISTS; i++) {
		suggest_offer(&suggest, kinds[i]);
		if (!strcmp(word, kinds[i])) {
			*list = (enum which_list)i;
			return 0;
		}
	}
	error_set(err, "cannot list '%s'; there are workers, groups and locks", word);
	return suggest_append(&suggest, err);
}

struct collected {
	struct names *names;
	bool failed;
};

static void collect(void *arg, const char *name)
{
	struct collected *collected = arg;

	if (names_add(collected->names, name))
		collected->failed = true;
}

int which_list(const struct config *config, enum which_list list, struct names *names,
	       struct error *err)
{
	struct collected collected = {names, false};
	const char *lock;

	switch (list) {
	case WHICH_LIST_WORKERS:
		config_workers(config, collect, &collected);
		break;
	case WHICH_LIST_GROUPS:
		config_groups(config, collect, &collected);
		break;
	default: /* WHICH_LIST_LOCKS */
		for (unsigned i = 0; (lock = config_lock(config, i)); i++)
			collect(&collected, lock);
	}
	if (collected.failed)
		return error_sys(err, ENOMEM, "cannot list the %s", kinds[list]);
	names_sort(names);
	return 0;
}
