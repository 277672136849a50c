#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "status/report.h"

#define STATUS_INCOMPLETE 1 /* exit status: something could not be looked at */
#define KEY_PROMETHEUS 256

static const struct option_spec status_options[] = {
	{'g', "group", "NAME", "only this group; may be repeated"},
	{'l', "lock", "LOCK", "only this lock; may be repeated"},
	{'J', "json", NULL, "print one JSON document"},
	{KEY_PROMETHEUS, "prometheus", NULL, "print metrics in the text format of Prometheus"},
	OPTIONS_COMMON,
	{0},
};

struct status {
	struct report_query query;
	struct report report;
	bool json, prometheus, help;
};

/* Adds a name to a filter, folded. */
static int add(struct names *filter, const char *name, struct error *err)
{
	if (names_add(filter, name))
		return error_sys(err, ENOMEM, "cannot read '%s'", name);
	text_fold(filter->list[filter->count - 1]);
	return 0;
}

static int parse_option(struct status *status, struct resolve_options *resolve, int key,
			const char *argument, struct error *err)
{
	switch (key) {
	case 'f':
		resolve->config = argument;
		return 0;
	case 'd':
		resolve->directory = argument;
		return 0;
	case 'g':
		return add(&status->query.groups, argument, err);
	case 'l':
		return add(&status->query.locks, argument, err);
	case 'J':
		status->json = true;
		return 0;
	case KEY_PROMETHEUS:
		status->prometheus = true;
		return 0;
	case 'h':
		status->help = true;
		return 0;
	default:
		return -1; /* options_next() has filled err */
	}
}

static int parse(struct status *status, const struct command *self, struct resolve_options *resolve,
		 int argc, char **argv, struct error *err)
{
	const char *argument;
	int key;

	optind = 0;
	while ((key = options_next(self->options, self->name, argc, argv, &argument, err)) !=
	       OPTIONS_END) {
		if (parse_option(status, resolve, key, argument, err))
			return -1;
		if (status->help)
			return 0;
	}
	if (argv[optind])
		return error_set(err, "unexpected '%s'; see 'grouplock status --help'",
				 argv[optind]);
	if (status->json && status->prometheus)
		return error_set(err, "-J and --prometheus exclude each other");
	return 0;
}

/* A table in colour is for a terminal, and not for one whose user wants none. */
static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static char *make_table(const struct report *report)
{
	struct winsize window = {0};

	if (!isatty(STDOUT_FILENO))
		return report_table(report, 0, false);
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
	return report_table(report, window.ws_col ? window.ws_col : 80, wants_colour());
}

static char *make_text(const struct status *status)
{
	if (status->json)
		return report_json(&status->report);
	if (status->prometheus)
		return report_prometheus(&status->report);
	return make_table(&status->report);
}

/* Says what could not be looked at; how much that is. */
static int tell_problems(const struct report *report)
{
	int problems = 0;

	if (*report->problem.text) {
		command_fail(&report->problem);
		problems++;
	}
	for (unsigned i = 0; i < report->count; i++) {
		const struct report_lock *lock = &report->locks[i];
		char label[REPORT_LABEL_SIZE];
		struct error err;

		if (!*lock->problem.text)
			continue;
		report_label(lock, label);
		error_set(&err, "%s: %s", label, lock->problem.text);
		command_fail(&err);
		problems++;
	}
	return problems;
}

static int print_status(const struct status *status)
{
	struct error err;
	int problems = tell_problems(&status->report);

	if (output_text(make_text(status), &err))
		return command_fail(&err);
	return problems ? STATUS_INCOMPLETE : 0;
}

static int show(struct status *status, struct resolve_options *resolve, struct error *err)
{
	struct resolved where;
	int result = COMMAND_FAILED;

	if (resolve_config(&where, resolve, err))
		return command_fail(err);
	status->query.config = where.config;
	status->query.directory = where.directory;
	if (report_gather(&status->report, &status->query, err))
		command_fail(err);
	else
		result = print_status(status);
	report_free(&status->report);
	resolve_free(&where);
	return result;
}

static int cmd_status(const struct command *self, struct resolve_options *resolve, int argc,
		      char **argv)
{
	struct status status = {.json = false};
	struct error err;
	int result;

	if (parse(&status, self, resolve, argc, argv, &err))
		result = command_fail(&err);
	else if (status.help)
		result = command_help(self);
	else
		result = show(&status, resolve, &err);
	names_free(&status.query.groups);
	names_free(&status.query.locks);
	return result;
}

const struct command command_status = {
	"status", "", "show what is held and who waits", status_options, cmd_status,
};
