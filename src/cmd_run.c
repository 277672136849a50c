#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acquire.h"
#include "clock.h"
#include "command.h"
#include "fdlimit.h"
#include "held.h"
#include "launch.h"
#include "num.h"
#include "talk.h"
#include "text.h"

#define DEFAULT_HEARTBEAT (60 * CLOCK_SECOND)
#define KEY_HEARTBEAT 256

static const struct option_spec run_options[] = {
	{'w', "worker", "NAME", "who asks, instead of $GROUPLOCK_WORKER or the host name"},
	{'g', "group", "NAME", "the group, instead of the worker's"},
	{'l', "lock", "LOCK[=COUNT|=all]", "the lock, instead of 'default'; may be repeated"},
	{'c', "count", "N", "take N slots of each lock without a count of its own"},
	{'x', "exclusive", NULL, "take all slots of each lock without a count of its own"},
	{'n', "nonblock", NULL, "do not wait: exit with 75 if there is no free slot"},
	{'t', "timeout", "DURATION", "wait no longer than this: 30, 1.5, 10m, 2h, 1d; then exit with 75"},
	{'E', "conflict-exit-code", "N", "exit with N instead of 75; 0 skips the command quietly"},
	{KEY_HEARTBEAT, "heartbeat", "DURATION", "say so this often while waiting (60); 0 is never"},
	{'k', "keep-until-closed", NULL, "hold until the last process that inherited the slot ends"},
	{'q', "quiet", NULL, "say nothing about waiting"},
	{'v', "verbose", NULL, "say how group, limit and directory were found"},
	OPTIONS_COMMON,
	{0},
};

/* What the command line says. */
struct run {
	struct resolve_options *resolve;
	struct acquire_want wants[ACQUIRE_MAX_LOCKS];
	bool has_count[ACQUIRE_MAX_LOCKS]; /* -l gave one */
	unsigned want_count;
	unsigned count; /* -c; 0: not given */
	bool exclusive, nonblock, has_timeout, keep_until_closed, quiet, verbose, help;
	int64_t timeout, heartbeat;
	int conflict_status;
	char *const *command;
};

/* Everything between the command line and the exec. */
struct session {
	struct run run;
	struct resolved where;
	struct acquire_job job;
	struct acquire_grant grants[ACQUIRE_MAX_LOCKS];
	struct talk talk;
	struct rlimit fd_limit;
};

/* --- the command line --------------------------------------------------------------------- */

static int parse_count(const char *text, unsigned *count, struct error *err)
{
	uint64_t value;

	if (!num_parse(text, CONFIG_MAX_SLOTS, &value) || !value)
		return error_set(err, "bad count '%s': it is not a number from 1 to %d", text, CONFIG_MAX_SLOTS);
	*count = (unsigned)value;
	return 0;
}

static int parse_duration(const char *option, const char *text, int64_t *ns, struct error *err)
{
	if (num_parse_duration(text, ns))
		return 0;
	return error_set(err, "bad duration '%s' for %s: write it like 30, 1.5, 10m, 2h or 1d", text, option);
}

static int parse_status(const char *text, int *status, struct error *err)
{
	uint64_t value;

	if (!num_parse(text, 255, &value))
		return error_set(err, "bad exit status '%s' for -E: it is not a number from 0 to 255", text);
	*status = (int)value;
	return 0;
}

/* LOCK, LOCK=COUNT or LOCK=all */
static int parse_lock(struct run *run, const char *text, struct error *err)
{
	struct acquire_want *want = &run->wants[run->want_count];
	const char *equals = strchr(text, '=');
	char *name;

	if (run->want_count == ACQUIRE_MAX_LOCKS)
		return error_set(err, "more than %d locks", ACQUIRE_MAX_LOCKS);
	name = strndup(text, equals ? (size_t)(equals - text) : strlen(text));
	if (!name)
		return error_sys(err, ENOMEM, "cannot read '%s'", text);
	text_fold(name);
	want->lock = name; /* for the life of the process, as argv */
	for (unsigned i = 0; i < run->want_count; i++) {
		if (!strcmp(run->wants[i].lock, name))
			return error_set(err, "lock '%s' is named twice", name);
	}
	run->has_count[run->want_count++] = equals != NULL;
	if (!equals)
		return 0;
	want->all = !strcmp(equals + 1, "all");
	return want->all ? 0 : parse_count(equals + 1, &want->count, err);
}

static int parse_option(struct run *run, int key, const char *argument, struct error *err)
{
	switch (key) {
	case 'f':
		run->resolve->config = argument;
		return 0;
	case 'd':
		run->resolve->directory = argument;
		return 0;
	case 'w':
		run->resolve->worker = argument;
		return 0;
	case 'g':
		run->resolve->group = argument;
		return 0;
	case 'l':
		return parse_lock(run, argument, err);
	case 'c':
		return parse_count(argument, &run->count, err);
	case 'x':
		run->exclusive = true;
		return 0;
	case 'n':
		run->nonblock = true;
		return 0;
	case 't':
		run->has_timeout = true;
		return parse_duration("-t", argument, &run->timeout, err);
	case 'E':
		return parse_status(argument, &run->conflict_status, err);
	case KEY_HEARTBEAT:
		return parse_duration("--heartbeat", argument, &run->heartbeat, err);
	case 'k':
		run->keep_until_closed = true;
		return 0;
	case 'q':
		run->quiet = true;
		return 0;
	case 'v':
		run->verbose = true;
		return 0;
	case 'h':
		run->help = true;
		return 0;
	default:
		return -1; /* options_next() has filled err */
	}
}

static int finish_wants(struct run *run, struct error *err)
{
	if (run->exclusive && run->count)
		return error_set(err, "-c and -x exclude each other");
	if (run->nonblock && run->has_timeout)
		return error_set(err, "-n and -t exclude each other");
	if (!run->want_count)
		run->wants[run->want_count++].lock = CONFIG_DEFAULT_LOCK;
	for (unsigned i = 0; i < run->want_count; i++) {
		if (run->has_count[i])
			continue;
		run->wants[i].all = run->exclusive;
		run->wants[i].count = run->count ? run->count : 1;
	}
	return 0;
}

static int parse(struct run *run, const struct command *self, int argc, char **argv, struct error *err)
{
	const char *argument;
	int key;

	run->conflict_status = COMMAND_NO_SLOT;
	run->heartbeat = DEFAULT_HEARTBEAT;
	optind = 0;
	while ((key = options_next(self->options, self->name, argc, argv, &argument, err)) != OPTIONS_END) {
		if (parse_option(run, key, argument, err))
			return -1;
		if (run->help)
			return 0;
	}
	run->command = argv + optind;
	if (!*run->command)
		return error_set(err, "no command to run; see 'grouplock run --help'");
	return finish_wants(run, err);
}

/* --- what the command finds --------------------------------------------------------------- */

/* GROUPLOCK_SLOT_<LOCK>: upper case, what no variable's name may have as '_'. */
static char *variable_of(const char *lock)
{
	char *name = NULL;

	if (asprintf(&name, "GROUPLOCK_SLOT_%s", lock) < 0)
		return NULL;
	for (char *p = name; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	return name;
}

/* "kit-a kit-c" */
static char *list_labels(const struct acquire_grant *grant)
{
	size_t size = 1;
	char *list, *p;

	for (unsigned i = 0; i < grant->count; i++)
		size += strlen(grant->labels[i]) + 1;
	list = p = malloc(size);
	if (!list)
		return NULL;
	*p = '\0';
	for (unsigned i = 0; i < grant->count; i++)
		p += sprintf(p, "%s%s", i ? " " : "", grant->labels[i]);
	return list;
}

static bool set_slots(const struct acquire_grant *grant, bool first)
{
	char *variable = variable_of(grant->want->lock), *list = list_labels(grant);
	bool good = variable && list && !setenv(variable, list, 1) &&
		    (!first || !setenv("GROUPLOCK_SLOT", list, 1));

	free(variable);
	free(list);
	return good;
}

static bool add_held(const struct session *session, const struct acquire_grant *grant, char **held)
{
	for (unsigned i = 0; i < grant->count && !grant->nested; i++) {
		if (held_append(held, session->job.group, grant->want->lock, grant->files[i],
				session->job.secret))
			return false;
	}
	return true;
}

static int set_environment(const struct session *session, struct error *err)
{
	char *held = session->job.held ? strdup(session->job.held) : NULL;
	bool good = (held || !session->job.held) && !setenv("GROUPLOCK_WORKER", session->where.worker, 1) &&
		    !setenv("GROUPLOCK_GROUP", session->where.group, 1);

	for (unsigned i = 0; good && i < session->job.count; i++)
		good = set_slots(&session->grants[i], i == 0) && add_held(session, &session->grants[i], &held);
	if (good && held)
		good = !setenv(HELD_VARIABLE, held, 1);
	free(held);
	return good ? 0 : error_sys(err, ENOMEM, "cannot set the command's environment");
}

/* Two locks whose variables are the same would hide one's slots from the command. */
static int check_variables(const struct run *run, struct error *err)
{
	for (unsigned i = 0; i < run->want_count; i++) {
		for (unsigned j = 0; j < i; j++) {
			char *a = variable_of(run->wants[i].lock), *b = variable_of(run->wants[j].lock);
			bool same = a && b && !strcmp(a, b);

			free(a);
			free(b);
			if (same)
				return error_set(err, "locks '%s' and '%s' cannot be taken together: both "
						 "would set the same GROUPLOCK_SLOT_ variable",
						 run->wants[j].lock, run->wants[i].lock);
		}
	}
	return 0;
}

/* --- running ------------------------------------------------------------------------------ */

static void explain(const struct session *session)
{
	const struct resolved *where = &session->where;
	char why[RESOLVE_WHY_SIZE];

	resolve_why(where, why);
	fprintf(stderr, "grouplock: worker '%s' (%s) is in group '%s' (%s)\n", where->worker,
		where->worker_source, where->group, why);
	fprintf(stderr, "grouplock: config '%s' (%s), directory '%s' (%s)\n", config_path(where->config),
		where->config_source, where->directory, where->directory_source);
	for (unsigned i = 0; i < session->run.want_count; i++) {
		struct slotset slots;
		struct error err;

		if (config_slots(where->config, session->run.wants[i].lock, where->group, &slots, &err))
			continue; /* acquire() says it */
		fprintf(stderr, "grouplock: lock '%s' of group '%s' has %u slot%s\n",
			session->run.wants[i].lock, where->group, slots.count, slots.count == 1 ? "" : "s");
		slotset_free(&slots);
	}
}

static void fill_job(struct session *session)
{
	struct run *run = &session->run;
	struct acquire_job *job = &session->job;

	talk_open(&session->talk, run->conflict_status == 0);
	job->directory = session->where.directory;
	job->group = session->where.group;
	job->config = session->where.config;
	job->held = getenv(HELD_VARIABLE);
	job->kind = run->keep_until_closed ? RECORD_KEEP : RECORD_RUN;
	job->wants = run->wants;
	job->grants = session->grants;
	job->count = run->want_count;
	job->nonblock = run->nonblock;
	job->deadline = run->has_timeout ? clock_add(clock_now(), run->timeout) : CLOCK_NEVER;
	job->heartbeat = talk_interval(&session->talk, run->heartbeat ? run->heartbeat : CLOCK_NEVER);
	job->tell = run->quiet ? NULL : talk_tell;
	job->arg = &session->talk;
	proc_self(&job->record.process);
	snprintf(job->record.worker, sizeof(job->record.worker), "%s", session->where.worker);
	record_command(&job->record, run->command);
}

/* The fds that hold, for the launch; the grants' own numbers of them end with the exec. */
static int *collect_fds(const struct session *session, size_t *count)
{
	int *fds;

	*count = 0;
	for (unsigned i = 0; i < session->job.count; i++)
		*count += session->grants[i].nested ? 0 : session->grants[i].count;
	fds = calloc(*count + 1, sizeof(*fds));
	*count = 0;
	for (unsigned i = 0; fds && i < session->job.count; i++) {
		const struct slots *slots = &session->grants[i].slots;

		for (unsigned j = 0; slots->slot && j < slots->total; j++) {
			if (slots->slot[j].state == SLOT_MINE)
				fds[(*count)++] = slots->slot[j].fd;
		}
	}
	return fds;
}

static void before_exec(void *arg, bool kept)
{
	const struct session *session = arg;

	if (!kept && session->run.verbose && !session->run.keep_until_closed)
		fprintf(stderr, "grouplock: no keeper (no pidfd_open(2) here): the slot is held until the last "
			"process that inherited it ends, as with -k\n");
	fdlimit_restore(&session->fd_limit);
}

static int start(struct session *session, struct error *err)
{
	struct launch command = {
		.argv = session->run.command,
		.without_keeper = session->run.keep_until_closed,
		.title = command_title.start,
		.title_size = command_title.size,
		.before_exec = before_exec,
		.arg = session,
	};

	command.fds = collect_fds(session, &command.fd_count);
	if (!command.fds) {
		error_sys(err, ENOMEM, "cannot start '%s'", session->run.command[0]);
		return LAUNCH_FAILED;
	}
	if (set_environment(session, err))
		return LAUNCH_FAILED;
	resolve_free(&session->where); /* the keeper lives on in this memory */
	return launch(&command, err);
}

static int run_session(struct session *session, struct error *err)
{
	enum acquire_result result;

	fdlimit_raise(&session->fd_limit);
	fill_job(session);
	result = acquire(&session->job, err);
	talk_close(&session->talk);
	switch (result) {
	case ACQUIRE_OK:
		return start(session, err);
	case ACQUIRE_BUSY:
	case ACQUIRE_TIMEOUT:
		return session->run.conflict_status;
	case ACQUIRE_ERROR:
		break;
	}
	return COMMAND_FAILED;
}

static int cmd_run(const struct command *self, struct resolve_options *resolve, int argc, char **argv)
{
	static struct session session; /* large, and there is one */
	struct run *run = &session.run;
	struct error err = {""};
	int status;

	run->resolve = resolve;
	if (parse(run, self, argc, argv, &err))
		return command_fail(&err);
	if (run->help) {
		command_help(self);
		return 0;
	}
	if (check_variables(run, &err) || resolve_config(&session.where, resolve, &err) ||
	    resolve_group(&session.where, resolve, &err))
		return command_fail(&err);
	if (run->verbose)
		explain(&session);
	status = run_session(&session, &err);
	if (*err.text)
		command_fail(&err);
	return status;
}

const struct command command_run = {
	"run", "[--] COMMAND [ARG...]", "wait for a slot, then run a command that holds it until it ends",
	run_options, cmd_run,
};
