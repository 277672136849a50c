#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
	bool json, prometheus;
};

static int parse_option(void *arg, int key, const char *argument, struct error *err)
{
	struct status *status = arg;

	switch (key) {
	case 'g':
		return command_add_name(&status->query.groups, argument, err);
	case 'l':
		return command_add_name(&status->query.locks, argument, err);
	case 'J':
		status->json = true;
		break;
	case KEY_PROMETHEUS:
		status->prometheus = true;
		break;
	}
	return 0;
}

static int put_status(FILE *out, const void *arg)
{
	const struct status *status = arg;
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize window = {0};

	if (status->json)
		return report_json(out, &status->report);
	if (status->prometheus)
		return report_prometheus(out, &status->report);
	if (!isatty(STDOUT_FILENO))
		return report_table(out, &status->report, 0, false);
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
	/* In colour, but not on a terminal whose user wants none. */
	return report_table(out, &status->report, window.ws_col ? window.ws_col : 80,
			    !(no_color && *no_color) && term && strcmp(term, "dumb") != 0);
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
		char label[CONFIG_LABEL_SIZE];
		struct error err;

		if (!*lock->problem.text)
			continue;
		config_label(label, lock->group, lock->lock);
		error_set(&err, "%s: %s", label, lock->problem.text);
		command_fail(&err);
		problems++;
	}
	return problems;
}

static int show(struct status *status, const struct resolve_options *options)
{
	struct resolved where;
	struct error err;
	int result = COMMAND_FAILED;

	if (resolve_config(&where, options, &err))
		return command_fail(&err);
	status->query.config = where.config;
	status->query.directory = where.directory;
	if (!report_gather(&status->report, &status->query, &err)) {
		result = tell_problems(&status->report) ? STATUS_INCOMPLETE : 0;
		if (output_whole(put_status, status, &err))
			result = COMMAND_FAILED;
	}
	if (result == COMMAND_FAILED)
		command_fail(&err);
	report_free(&status->report);
	resolve_free(&where);
	return result;
}

static int cmd_status(struct command_call *call)
{
	struct status status = {.json = false};
	struct error err;
	int result;

	if (command_parse(call, parse_option, &status, &err)) {
		result = command_help_or_fail(call, &err);
	} else if (status.json && status.prometheus) {
		error_set(&err, "-J and --prometheus cannot be combined");
		result = command_fail(&err);
	} else {
		result = show(&status, &call->options);
	}
	names_free(&status.query.groups);
	names_free(&status.query.locks);
	return result;
}

const struct command command_status = {
	"status", "", "show what is held and who waits", status_options, cmd_status,
};
