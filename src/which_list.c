#include <errno.h>
#include <string.h>

#include "text.h"
#include "which.h"

static const char *const kinds[WHICH_LISTS] = {"workers", "groups", "locks"};

int which_list_kind(const char *word, enum which_list *list, struct error *err)
{
	for (int i = 0; i < WHICH_LISTS; i++) {
		if (!strcmp(word, kinds[i])) {
			*list = (enum which_list)i;
			return 0;
		}
	}
	return error_set(err, "cannot list '%s'; there are workers, groups and locks", word);
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

/* The keys of [workers] that are names. */
static void collect_workers(const struct config *config, struct collected *collected)
{
	static const char prefix[] = CONFIG_SECTION_WORKERS ":";
	const char *name, *value;

	for (unsigned i = 0; config_item(config, i, &name, &value); i++) {
		if (value && !strncmp(name, prefix, sizeof(prefix) - 1) &&
		    !config_is_pattern(name + sizeof(prefix) - 1))
			collect(collected, name + sizeof(prefix) - 1);
	}
}

int which_list(const struct config *config, enum which_list list, struct names *names,
	       struct error *err)
{
	struct collected collected = {names, false};
	const char *lock;

	switch (list) {
	case WHICH_LIST_WORKERS:
		collect_workers(config, &collected);
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
