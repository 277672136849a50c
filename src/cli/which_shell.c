#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/which.h"

/* KEY=value; an empty `lock`: KEY alone, else KEY_LOCK. */
static void put_assignment(FILE *out, const char *key, const char *lock, const char *value)
{
	char *variable = strdup(lock), *quoted = text_quote(value, false);

	if (variable && quoted) {
		text_variable(variable);
		fprintf(out, "%s%s%s=%s\n", key, *lock ? "_" : "", variable, quoted);
	}
	free(variable);
	free(quoted);
}

/* All slots' names, blank separated, malloc()ed. */
static char *list_slots(const struct slotset *slots)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; out && i < slots->count; i++) {
		fputs(i ? " " : "", out);
		if (slots->names)
			fputs(slots->names[i], out);
		else
			fprintf(out, "%u", i);
	}
	if (out)
		fclose(out);
	return text;
}

void which_put_assignments(FILE *out, const struct which *which)
{
	const struct resolved *where = &which->where;
	char why[RESOLVE_WHY_SIZE], limit[16];

	resolve_why(where, why);
	put_assignment(out, "WORKER", "", where->worker);
	put_assignment(out, "GROUP", "", where->group);
	put_assignment(out, "WHY", "", why);
	put_assignment(out, "CONFIG", "", config_path(where->config));
	put_assignment(out, "DIRECTORY", "", where->directory);
	for (unsigned i = 0; i < which->locks.count; i++) {
		char *slots = list_slots(&which->slots[i]);

		snprintf(limit, sizeof(limit), "%u", which->slots[i].count);
		put_assignment(out, "LIMIT", which->locks.list[i], limit);
		put_assignment(out, "SLOTS", which->locks.list[i], slots ? slots : "");
		free(slots);
	}
}

int which_check_variables(const struct which *which, struct error *err)
{
	const struct names *locks = &which->locks;

	for (unsigned i = 0; i < locks->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			char a[NAME_MAX + 1], b[NAME_MAX + 1];

			snprintf(a, sizeof(a), "%s", locks->list[i]);
			snprintf(b, sizeof(b), "%s", locks->list[j]);
			text_variable(a);
			text_variable(b);
			if (!strcmp(a, b))
				return error_set(
					err,
					"the variables of locks '%s' and '%s' have one name, "
					"LIMIT_%s; ask for one of them with -l",
					locks->list[j], locks->list[i], a);
		}
	}
	return 0;
}
