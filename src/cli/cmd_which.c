#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/variables.h"

#define KEY_LIST 256
#define WHICH_UNLISTED 1 /* exit status: [workers] does not list the worker, and is strict */

static const struct option_spec which_options[] = {
	{'w', "worker", "NAME", "the worker, instead of $GROUPLOCK_WORKER or the host name"},
	{'l', "lock", "LOCK", "only this lock; may be repeated"},
	{'q', "quiet", NULL, "print only shell assignments"},
	{'J', "json", NULL, "print one JSON document"},
	{KEY_LIST, "list", "KIND", "print the names in the config: workers, groups or locks"},
	OPTIONS_COMMON,
	{0},
};

/* What --list can list. */
enum list { LIST_WORKERS, LIST_GROUPS, LIST_LOCKS, LISTS /* none of them */ };

static const char *const list_kinds[LISTS] = {"workers", "groups", "locks"};

struct which {
	struct resolve_options *options;
	struct resolved where;
	struct names names;    /* of the locks; under --list, what is listed */
	struct slotset *slots; /* of each lock */
	bool quiet, json;
	enum list list;
	bool no_memory; /* met by collect() */
};

/* --- options ------------------------------------------------------------------------------ */

static int parse_option(void *arg, int key, const char *argument, struct error *err)
{
	struct which *which = arg;
	struct suggest suggest;

	switch (key) {
	case 'w':
		which->options->worker = argument;
		break;
	case 'l':
		return command_add_name(&which->names, argument, err);
	case 'q':
		which->quiet = true;
		break;
	case 'J':
		which->json = true;
		break;
	case KEY_LIST:
		suggest_begin(&suggest, argument);
		for (which->list = 0; which->list < LISTS; which->list++) {
			if (!strcmp(argument, list_kinds[which->list]))
				return 0;
			suggest_offer(&suggest, list_kinds[which->list]);
		}
		error_set(err, "cannot list '%s'; there are workers, groups and locks", argument);
		return suggest_append(&suggest, err);
	}
	return 0;
}

/* The locks asked for, all of them if none was, and their slots. */
static int find_locks(struct which *which, struct error *err)
{
	const struct resolved *where = &which->where;
	const char *lock;
	bool all = !which->names.count;

	for (unsigned i = 0; all && (lock = config_lock(where->config, i)); i++) {
		if (names_add(&which->names, lock))
			return error_sys(err, ENOMEM, "cannot list the locks");
	}
	which->slots = calloc(which->names.count + 1, sizeof(*which->slots));
	if (!which->slots)
		return error_sys(err, ENOMEM, "cannot list the locks");
	for (unsigned i = 0; i < which->names.count; i++) {
		if (config_slots(where->config, which->names.list[i], where->group,
				 &which->slots[i], err))
			return -1;
	}
	return 0;
}

/* --- for people: lines and a table -------------------------------------------------------- */

/* Writes it as people may see it, to `out` if that is not NULL; the columns that it takes. */
static size_t put_escaped(FILE *out, const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1);
	const char *shown = escaped ? escaped : "-";
	size_t columns;

	if (escaped)
		text_escape(escaped, 4 * strlen(text) + 1, text);
	columns = utf8_width(shown);
	if (out)
		fputs(shown, out);
	free(escaped);
	return columns;
}

static void put_pair(FILE *out, const char *key, const char *value, const char *why)
{
	fprintf(out, "%-9s  ", key);
	put_escaped(out, value);
	fputs("  (", out);
	put_escaped(out, why);
	fputs(")\n", out);
}

static void put_padded(FILE *out, const char *text, size_t width)
{
	size_t columns = put_escaped(out, text);

	fprintf(out, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

static int put_text(FILE *out, const struct which *which)
{
	const struct resolved *where = &which->where;
	size_t width = sizeof("LOCK") - 1;
	char why[RESOLVE_WHY_SIZE];

	resolve_why(where, why);
	put_pair(out, "worker", where->worker, where->worker_source);
	put_pair(out, "group", where->group, why);
	put_pair(out, "config", config_path(where->config), where->config_source);
	put_pair(out, "directory", where->directory, where->directory_source);
	for (unsigned i = 0; i < which->names.count; i++) {
		size_t columns = put_escaped(NULL, which->names.list[i]);

		if (columns > width)
			width = columns;
	}
	fputs("\n", out);
	put_padded(out, "LOCK", width);
	fputs("  LIMIT  SLOTS\n", out);
	for (unsigned i = 0; i < which->names.count; i++) {
		const struct slotset *slots = &which->slots[i];

		put_padded(out, which->names.list[i], width);
		fprintf(out, "  %5u  ", slots->count);
		/* "0-3" or "kit-a kit-b" */
		if (!slots->count)
			fputs("closed", out);
		else if (!slots->names)
			fprintf(out, slots->count > 1 ? "0-%u" : "%u", slots->count - 1);
		for (unsigned j = 0; slots->names && j < slots->count; j++) {
			fputs(j ? " " : "", out);
			put_escaped(out, slots->names[j]);
		}
		fputs("\n", out);
	}
	return 0;
}

/* --- for a shell: KEY=value --------------------------------------------------------------- */

/* An empty `lock`: KEY alone, else KEY_LOCK. -1: no memory. */
static int put_assignment(FILE *out, const char *key, const char *lock, const char *value)
{
	char *variable = strdup(lock), *quoted = text_quote(value, false);
	int result = variable && quoted ? 0 : -1;

	if (!result) {
		text_variable(variable);
		fprintf(out, "%s%s%s=%s\n", key, *lock ? "_" : "", variable, quoted);
	}
	free(variable);
	free(quoted);
	return result;
}

/* All slots' names, blank separated, malloc()ed; NULL: no memory. */
static char *list_slots(const struct slotset *slots)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; out && i < slots->count; i++) {
		if (slots->names)
			fprintf(out, "%s%s", i ? " " : "", slots->names[i]);
		else
			fprintf(out, "%s%u", i ? " " : "", i);
	}
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int put_assignments(FILE *out, const struct which *which)
{
	const struct resolved *where = &which->where;
	char why[RESOLVE_WHY_SIZE];
	int result;

	resolve_why(where, why);
	result = put_assignment(out, "WORKER", "", where->worker) |
		 put_assignment(out, "GROUP", "", where->group) |
		 put_assignment(out, "WHY", "", why) |
		 put_assignment(out, "CONFIG", "", config_path(where->config)) |
		 put_assignment(out, "DIRECTORY", "", where->directory);
	for (unsigned i = 0; !result && i < which->names.count; i++) {
		char *slots = list_slots(&which->slots[i]), limit[16];

		snprintf(limit, sizeof(limit), "%u", which->slots[i].count);
		result = !slots ? -1
				: put_assignment(out, "LIMIT", which->names.list[i], limit) |
					  put_assignment(out, "SLOTS", which->names.list[i], slots);
		free(slots);
	}
	return result;
}

/* Refuses two locks whose variables would have one name: one would hide the other. */
static int check_variables(const struct names *locks, struct error *err)
{
	for (unsigned i = 0; i < locks->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			char name[NAME_MAX + 1];

			if (!variables_collide(locks->list[i], locks->list[j]))
				continue;
			snprintf(name, sizeof(name), "%s", locks->list[i]);
			text_variable(name);
			return error_set(err,
					 "the variables of locks '%s' and '%s' have the same "
					 "name, LIMIT_%s; ask for one of them with -l",
					 locks->list[j], locks->list[i], name);
		}
	}
	return 0;
}

/* --- for programs: JSON ------------------------------------------------------------------- */

static int put_json(FILE *out, const struct which *which)
{
	static const char *const matches[] = {
		[CONFIG_EXACT] = "exact",
		[CONFIG_PATTERN] = "pattern",
		[CONFIG_UNLISTED] = "unlisted",
	};
	const struct resolved *where = &which->where;
	json_t *root = json_object(), *locks = json_array();

	for (unsigned i = 0; i < which->names.count; i++) {
		const struct slotset *slots = &which->slots[i];
		json_t *lock = json_object(), *names = slots->names ? json_array() : json_null();

		for (unsigned j = 0; slots->names && j < slots->count; j++)
			jsonout_append(&names, jsonout_text(slots->names[j]));
		jsonout_set(&lock, "lock", jsonout_text(which->names.list[i]));
		jsonout_set(&lock, "limit", json_integer(slots->count));
		jsonout_set(&lock, "names", names);
		jsonout_append(&locks, lock);
	}
	jsonout_set(&root, "worker", jsonout_text(where->worker));
	jsonout_set(&root, "worker_source", jsonout_text(where->worker_source));
	jsonout_set(&root, "group", jsonout_text(where->group));
	jsonout_set(&root, "match", json_string(matches[where->match]));
	jsonout_set(&root, "pattern", jsonout_text(where->pattern));
	jsonout_set(&root, "config", jsonout_text(config_path(where->config)));
	jsonout_set(&root, "config_source", jsonout_text(where->config_source));
	jsonout_set(&root, "directory", jsonout_text(where->directory));
	jsonout_set(&root, "directory_source", jsonout_text(where->directory_source));
	jsonout_set(&root, "locks", locks);
	return jsonout_print(out, root);
}

/* --- for completion: the names in the config ---------------------------------------------- */

static void collect(void *arg, const char *name)
{
	struct which *which = arg;

	which->no_memory |= names_add(&which->names, name) != 0;
}

static int list_names(struct which *which, struct error *err)
{
	const struct config *config = which->where.config;
	const char *lock;

	if (which->list == LIST_WORKERS)
		config_workers(config, collect, which);
	else if (which->list == LIST_GROUPS)
		config_groups(config, collect, which);
	else
		for (unsigned i = 0; (lock = config_lock(config, i)); i++)
			collect(which, lock);
	if (which->no_memory)
		return error_sys(err, ENOMEM, "cannot list the %s", list_kinds[which->list]);
	names_sort(&which->names);
	return 0;
}

/* --- the command -------------------------------------------------------------------------- */

static int put_which(FILE *out, const void *arg)
{
	const struct which *which = arg;

	if (which->list != LISTS) {
		for (unsigned i = 0; i < which->names.count; i++)
			fprintf(out, "%s\n", which->names.list[i]);
		return 0;
	}
	if (which->json)
		return put_json(out, which);
	return which->quiet ? put_assignments(out, which) : put_text(out, which);
}

static int show(struct which *which, struct error *err)
{
	struct resolved *where = &which->where;

	if (which->quiet && which->json) {
		error_set(err, "-q and -J cannot be combined");
		return COMMAND_FAILED;
	}
	if (which->list != LISTS &&
	    (which->quiet || which->json || which->names.count || which->options->worker)) {
		error_set(err, "--list cannot be combined with -w, -l, -q or -J");
		return COMMAND_FAILED;
	}
	if (resolve_config(where, which->options, err))
		return COMMAND_FAILED;
	if (which->list != LISTS) { /* no worker need be known for that */
		if (list_names(which, err))
			return COMMAND_FAILED;
	} else if (resolve_group(where, which->options, err)) {
		return where->match == CONFIG_UNLISTED && config_strict(where->config)
			       ? WHICH_UNLISTED
			       : COMMAND_FAILED;
	} else if (find_locks(which, err) ||
		   (which->quiet && check_variables(&which->names, err))) {
		return COMMAND_FAILED;
	}
	return output_whole(put_which, which, err) ? COMMAND_FAILED : 0;
}

static int cmd_which(struct command_call *call)
{
	struct which which = {.options = &call->options, .list = LISTS};
	struct error err;
	int status;

	if (command_parse(call, parse_option, &which, &err)) {
		status = command_help_or_fail(call, &err);
	} else {
		status = show(&which, &err);
		if (status)
			command_fail(&err);
	}
	for (unsigned i = 0; which.slots && i < which.names.count; i++)
		slotset_free(&which.slots[i]);
	free(which.slots);
	names_free(&which.names);
	resolve_free(&which.where);
	return status;
}

const struct command command_which = {
	"which",
	"",
	"show a worker's group, its locks and their limits, and how they were found",
	which_options,
	cmd_which,
};
