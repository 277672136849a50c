#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/which.h"

#define KEY_LIST 256
#define WHICH_UNLISTED 1 /* exit status: [workers] does not list the worker, and is strict */

static const struct option_spec which_options[] = {
	{'w', "worker", "NAME", "the worker, instead of $GROUPLOCK_WORKER or the host name"},
	{'l', "lock", "LOCK", "only this lock; may be repeated"},
	{'q', "quiet", NULL, "print nothing but assignments for a shell"},
	{'J', "json", NULL, "print one JSON document"},
	{KEY_LIST, "list", "KIND", "print the names in the config: workers, groups or locks"},
	OPTIONS_COMMON,
	{0},
};

static int add_lock(struct which *which, const char *name, struct error *err)
{
	char *folded = strdup(name);
	int result = 0;

	if (folded)
		text_fold(folded);
	if (!folded || (!names_contain(&which->locks, folded) && names_add(&which->locks, folded)))
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
	case KEY_LIST:
		return which_list_kind(argument, &which->list, err);
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
	if (which->list != WHICH_LISTS &&
	    (which->quiet || which->json || which->locks.count || resolve->worker))
		return error_set(err, "--list excludes -w, -l, -q and -J");
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
	which->slots = calloc(which->locks.count + 1, sizeof(*which->slots));
	if (!which->slots)
		return error_sys(err, ENOMEM, "cannot list the locks");
	for (unsigned i = 0; i < which->locks.count; i++) {
		if (config_slots(where->config, which->locks.list[i], where->group,
				 &which->slots[i], err))
			return -1;
	}
	return 0;
}

static char *make_text(const struct which *which)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (which->json)
		return which_json(which);
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	if (which->quiet)
		which_put_assignments(out, which);
	else
		which_put_text(out, which);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static char *make_list(const struct names *names)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; out && i < names->count; i++)
		fprintf(out, "%s\n", names->list[i]);
	return out && !fclose(out) ? text : NULL;
}

/* The names of the config, for completion: no worker need be known for that. */
static int show_list(const struct which *which, struct error *err)
{
	struct names names = {0};
	int result = which_list(which->where.config, which->list, &names, err);

	if (!result)
		result = output_text(make_list(&names), err);
	names_free(&names);
	return result ? COMMAND_FAILED : 0;
}

static int show(struct which *which, struct resolve_options *resolve, struct error *err)
{
	struct resolved *where = &which->where;

	if (resolve_config(where, resolve, err))
		return COMMAND_FAILED;
	if (which->list != WHICH_LISTS)
		return show_list(which, err);
	if (resolve_group(where, resolve, err))
		return where->match == CONFIG_UNLISTED && config_strict(where->config)
			       ? WHICH_UNLISTED
			       : COMMAND_FAILED;
	if (find_locks(which, err) || (which->quiet && which_check_variables(which, err)) ||
	    output_text(make_text(which), err))
		return COMMAND_FAILED;
	return 0;
}

static int cmd_which(const struct command *self, struct resolve_options *resolve, int argc,
		     char **argv)
{
	struct which which = {.list = WHICH_LISTS};
	struct error err;
	int status = COMMAND_FAILED;

	if (!parse(&which, self, resolve, argc, argv, &err)) {
		if (which.help)
			return command_help(self);
		status = show(&which, resolve, &err);
	}
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
