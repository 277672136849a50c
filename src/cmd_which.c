#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "jsonout.h"
#include "names.h"
#include "output.h"
#include "text.h"
#include "utf8.h"

#define WHICH_UNLISTED 1 /* exit status: [workers] does not list the worker, and is strict */

static const struct option_spec which_options[] = {
	{'w', "worker", "NAME", "the worker, instead of $GROUPLOCK_WORKER or the host name"},
	{'l', "lock", "LOCK", "only this lock; may be repeated"},
	{'q', "quiet", NULL, "print nothing but assignments for a shell"},
	{'J', "json", NULL, "print one JSON document"},
	OPTIONS_COMMON,
	{0},
};

struct which {
	struct resolved where;
	struct names locks;
	struct slotset *slots; /* of each lock */
	bool quiet, json, help;
};

static int add_lock(struct which *which, const char *name, struct error *err)
{
	char *folded = strdup(name);
	int result = 0;

	if (folded)
		text_fold(folded);
	if (!folded || (!names_have(&which->locks, folded) && names_add(&which->locks, folded)))
		result = error_sys(err, ENOMEM, "cannot read '%s'", name);
	free(folded);
	return result;
}

static int parse_option(struct which *which, struct resolve_options *resolve, int key,
			const char *argument, struct error *err)
{
	switch (key) {
	case 'f':
		resolve->config = argument;
		return 0;
	case 'd':
		resolve->directory = argument;
		return 0;
	case 'w':
		resolve->worker = argument;
		return 0;
	case 'l':
		return add_lock(which, argument, err);
	case 'q':
		which->quiet = true;
		return 0;
	case 'J':
		which->json = true;
		return 0;
	case 'h':
		which->help = true;
		return 0;
	default:
		return -1; /* options_next() has filled err */
	}
}

static int parse(struct which *which, const struct command *self, struct resolve_options *resolve,
		 int argc, char **argv, struct error *err)
{
	const char *argument;
	int key;

	optind = 0;
	while ((key = options_next(self->options, self->name, argc, argv, &argument, err)) !=
	       OPTIONS_END) {
		if (parse_option(which, resolve, key, argument, err))
			return -1;
		if (which->help)
			return 0;
	}
	if (argv[optind])
		return error_set(err, "unexpected '%s'; see 'grouplock which --help'",
				 argv[optind]);
	if (which->quiet && which->json)
		return error_set(err, "-q and -J exclude each other");
	return 0;
}

/* The locks asked for, all of them if none was, and their slots. */
static int find_locks(struct which *which, struct error *err)
{
	const struct resolved *where = &which->where;
	const char *lock;
	bool all = !which->locks.count;

	for (unsigned i = 0; all && (lock = config_lock(where->config, i)); i++) {
		if (names_add(&which->locks, lock))
			return error_sys(err, ENOMEM, "cannot list the locks");
	}
	which->slots = calloc(which->locks.count, sizeof(*which->slots));
	if (!which->slots)
		return error_sys(err, ENOMEM, "cannot list the locks");
	for (unsigned i = 0; i < which->locks.count; i++) {
		if (config_slots(where->config, which->locks.list[i], where->group,
				 &which->slots[i], err))
			return -1;
	}
	return 0;
}

/* --- for people --------------------------------------------------------------------------- */

static void put_escaped(FILE *out, const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1);

	if (escaped)
		text_escape(escaped, 4 * strlen(text) + 1, text);
	fputs(escaped ? escaped : "-", out);
	free(escaped);
}

static void put_pair(FILE *out, const char *key, const char *value, const char *why)
{
	fprintf(out, "%-9s  ", key);
	put_escaped(out, value);
	fputs("  (", out);
	put_escaped(out, why);
	fputs(")\n", out);
}

/* "0-3" or "kit-a kit-b"; nothing for a closed lock. */
static void put_slots(FILE *out, const struct slotset *slots)
{
	if (!slots->names && slots->count > 1)
		fprintf(out, "0-%u", slots->count - 1);
	else if (!slots->names && slots->count)
		fputs("0", out);
	for (unsigned i = 0; slots->names && i < slots->count; i++) {
		fputs(i ? " " : "", out);
		put_escaped(out, slots->names[i]);
	}
}

static void put_padded(FILE *out, const char *text, size_t width)
{
	put_escaped(out, text);
	fprintf(out, "%*s", (int)(width - utf8_width(text)), "");
}

static void put_text(FILE *out, const struct which *which)
{
	const struct resolved *where = &which->where;
	size_t width = sizeof("LOCK") - 1;
	char why[RESOLVE_WHY_SIZE];

	resolve_why(where, why);
	put_pair(out, "worker", where->worker, where->worker_source);
	put_pair(out, "group", where->group, why);
	put_pair(out, "config", config_path(where->config), where->config_source);
	put_pair(out, "directory", where->directory, where->directory_source);
	for (unsigned i = 0; i < which->locks.count; i++) {
		if (utf8_width(which->locks.list[i]) > width)
			width = utf8_width(which->locks.list[i]);
	}
	fputs("\n", out);
	put_padded(out, "LOCK", width);
	fputs("  LIMIT  SLOTS\n", out);
	for (unsigned i = 0; i < which->locks.count; i++) {
		fprintf(out, "%-*s  %5u  ", (int)width, which->locks.list[i],
			which->slots[i].count);
		put_slots(out, &which->slots[i]);
		fputs(which->slots[i].count ? "\n" : "closed\n", out);
	}
}

/* --- for a shell -------------------------------------------------------------------------- */

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

static void put_assignments(FILE *out, const struct which *which)
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

/* Two locks whose variables have one name would hide one another. */
static int check_variables(const struct names *locks, struct error *err)
{
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

/* --- for programs ------------------------------------------------------------------------- */

static json_t *make_names(const struct slotset *slots)
{
	json_t *names = slots->names ? json_array() : json_null();

	for (unsigned i = 0; slots->names && i < slots->count; i++)
		json_array_append_new(names, jsonout_text(slots->names[i]));
	return names;
}

static char *make_json(const struct which *which)
{
	static const char *const matches[] = {
		[CONFIG_EXACT] = "exact",
		[CONFIG_PATTERN] = "pattern",
		[CONFIG_UNLISTED] = "unlisted",
	};
	const struct resolved *where = &which->where;
	json_t *root = json_object(), *locks = json_array();

	for (unsigned i = 0; i < which->locks.count; i++) {
		json_t *lock = json_object();

		json_object_set_new(lock, "lock", jsonout_text(which->locks.list[i]));
		json_object_set_new(lock, "limit", json_integer(which->slots[i].count));
		json_object_set_new(lock, "names", make_names(&which->slots[i]));
		json_array_append_new(locks, lock);
	}
	json_object_set_new(root, "worker", jsonout_text(where->worker));
	json_object_set_new(root, "worker_source", jsonout_text(where->worker_source));
	json_object_set_new(root, "group", jsonout_text(where->group));
	json_object_set_new(root, "match", json_string(matches[where->match]));
	json_object_set_new(root, "pattern", jsonout_text(where->pattern));
	json_object_set_new(root, "config", jsonout_text(config_path(where->config)));
	json_object_set_new(root, "config_source", jsonout_text(where->config_source));
	json_object_set_new(root, "directory", jsonout_text(where->directory));
	json_object_set_new(root, "directory_source", jsonout_text(where->directory_source));
	json_object_set_new(root, "locks", locks);
	return jsonout_print(root);
}

/* --- the command -------------------------------------------------------------------------- */

static char *make_text(const struct which *which)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (which->json)
		return make_json(which);
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	if (which->quiet)
		put_assignments(out, which);
	else
		put_text(out, which);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static int show(struct which *which, struct resolve_options *resolve, struct error *err)
{
	struct resolved *where = &which->where;

	if (resolve_config(where, resolve, err))
		return COMMAND_FAILED;
	if (resolve_group(where, resolve, err))
		return where->match == CONFIG_UNLISTED && config_strict(where->config)
			       ? WHICH_UNLISTED
			       : COMMAND_FAILED;
	if (find_locks(which, err) || (which->quiet && check_variables(&which->locks, err)) ||
	    output_text(make_text(which), err))
		return COMMAND_FAILED;
	return 0;
}

static int cmd_which(const struct command *self, struct resolve_options *resolve, int argc,
		     char **argv)
{
	struct which which = {.quiet = false};
	struct error err;
	int status;

	if (parse(&which, self, resolve, argc, argv, &err))
		return command_fail(&err);
	if (which.help)
		return command_help(self);
	status = show(&which, resolve, &err);
	if (status)
		command_fail(&err);
	for (unsigned i = 0; which.slots && i < which.locks.count; i++)
		slotset_free(&which.slots[i]);
	free(which.slots);
	names_free(&which.locks);
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
