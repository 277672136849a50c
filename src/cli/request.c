#include "cli/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fdlimit.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/variables.h"
#include "lock/held.h"

#define DEFAULT_HEARTBEAT (60 * CLOCK_SECOND)

/* --- the command line --------------------------------------------------------------------- */

static int parse_count(const char *text, unsigned *count, struct error *err)
{
	uint64_t value;

	if (!num_parse(text, CONFIG_MAX_SLOTS, &value) || !value)
		return error_set(err, "bad count '%s': it is not a number from 1 to %d", text,
				 CONFIG_MAX_SLOTS);
	*count = (unsigned)value;
	return 0;
}

int request_duration(const char *option, const char *text, int64_t *ns, struct error *err)
{
	if (num_parse_duration(text, ns))
		return 0;
	return error_set(err, "bad duration '%s' for %s: write it like 30, 1.5, 10m, 2h or 1d",
			 text, option);
}

/* LOCK, LOCK=COUNT or LOCK=all */
static int parse_lock(struct request *request, const char *text, struct error *err)
{
	struct acquire_want *want = &request->wants[request->want_count];
	const char *equals = strchr(text, '=');
	char *name;

	if (request->want_count == ACQUIRE_MAX_LOCKS)
		return error_set(err, "more than %d locks", ACQUIRE_MAX_LOCKS);
	name = strndup(text, equals ? (size_t)(equals - text) : strlen(text));
	if (!name)
		return error_sys(err, ENOMEM, "cannot read '%s'", text);
	text_fold(name);
	want->lock = name; /* for the life of the process, as argv */
	for (unsigned i = 0; i < request->want_count; i++) {
		if (!strcmp(request->wants[i].lock, name))
			return error_set(err, "lock '%s' is named twice", name);
	}
	request->has_count[request->want_count++] = equals != NULL;
	if (!equals)
		return 0;
	want->all = !strcmp(equals + 1, "all");
	return want->all ? 0 : parse_count(equals + 1, &want->count, err);
}

int request_option(struct request *request, int key, const char *argument, struct error *err)
{
	uint64_t status;

	switch (key) {
	case 'w':
		request->options->worker = argument;
		return 0;
	case 'g':
		request->options->group = argument;
		return 0;
	case 'l':
		return parse_lock(request, argument, err);
	case 'c':
		return parse_count(argument, &request->count, err);
	case 'x':
		request->exclusive = true;
		return 0;
	case 'n':
		request->nonblock = true;
		return 0;
	case 't':
		request->has_timeout = true;
		return request_duration("-t", argument, &request->timeout, err);
	case 'E':
		if (!num_parse(argument, 255, &status))
			return error_set(
				err,
				"bad exit status '%s' for -E: it is not a number from 0 to 255",
				argument);
		request->conflict_status = (int)status;
		return 0;
	case REQUEST_KEY_HEARTBEAT:
		return request_duration("--heartbeat", argument, &request->heartbeat, err);
	case 'q':
		request->quiet = true;
		return 0;
	case 'v':
		request->verbose = true;
		return 0;
	default:
		return error_set(err, "option %d is in the table, but nobody takes it", key);
	}
}

int request_parse(struct request *request, struct command_call *call, command_option *option,
		  void *arg, struct error *err)
{
	request->options = &call->options;
	request->conflict_status = COMMAND_NO_SLOT;
	request->heartbeat = DEFAULT_HEARTBEAT;
	if (command_parse(call, option, arg, err))
		return -1;
	if (request->exclusive && request->count)
		return error_set(err, "-c and -x cannot be combined");
	if (request->nonblock && request->has_timeout)
		return error_set(err, "-n and -t cannot be combined");
	if (!request->want_count)
		request->wants[request->want_count++].lock = CONFIG_DEFAULT_LOCK;
	for (unsigned i = 0; i < request->want_count; i++) {
		if (request->has_count[i])
			continue;
		request->wants[i].all = request->exclusive;
		request->wants[i].count = request->count ? request->count : 1;
	}
	return variables_check(request->wants, request->want_count, err);
}

/* --- whom to ask -------------------------------------------------------------------------- */

static void explain(const struct request *request)
{
	const struct resolved *where = &request->where;
	char why[RESOLVE_WHY_SIZE];
	struct error line;

	resolve_why(where, why);
	error_set(&line, "worker '%s' (%s) is in group '%s' (%s)", where->worker,
		  where->worker_source, where->group, why);
	command_say(&line);
	error_set(&line, "config '%s' (%s), directory '%s' (%s)", config_path(where->config),
		  where->config_source, where->directory, where->directory_source);
	command_say(&line);
	for (unsigned i = 0; i < request->want_count; i++) {
		const char *lock = request->wants[i].lock;
		struct slotset slots;

		if (config_slots(where->config, lock, where->group, &slots, &line))
			continue; /* acquire() says it */
		error_set(&line, "lock '%s' of group '%s' has %u slot%s", lock, where->group,
			  slots.count, slots.count == 1 ? "" : "s");
		command_say(&line);
		slotset_free(&slots);
	}
}

int request_resolve(struct request *request, struct error *err)
{
	struct acquire_job *job = &request->job;
	struct error doubt;

	if (resolve_worker(&request->where, request->options, err))
		return -1;
	if (request->verbose)
		explain(request);
	if (!request->quiet && resolve_doubts_group(&request->where, &doubt))
		command_say(&doubt);
	talk_open(&request->talk, request->conflict_status == 0);
	job->directory = request->where.directory;
	job->group = request->where.group;
	job->config = request->where.config;
	job->held = getenv(HELD_VARIABLE);
	job->kind = RECORD_RUN;
	job->wants = request->wants;
	job->count = request->want_count;
	job->nonblock = request->nonblock;
	job->began = request->has_timeout ? clock_now() : 0;
	job->deadline =
		request->has_timeout ? clock_add(job->began, request->timeout) : CLOCK_NEVER;
	job->heartbeat = talk_interval(&request->talk,
				       request->heartbeat ? request->heartbeat : CLOCK_NEVER);
	job->tell = request->quiet ? NULL : talk_tell;
	job->arg = &request->talk;
	proc_self(&job->record.process);
	snprintf(job->record.worker, sizeof(job->record.worker), "%s", request->where.worker);
	return 0;
}

/* --- the slots ---------------------------------------------------------------------------- */

int request_check(const struct request *request, size_t *slots, struct error *err)
{
	const struct acquire_job *job = &request->job;
	size_t length = job->held ? strlen(job->held) : 0;

	*slots = 0;
	for (unsigned i = 0; i < job->count; i++) {
		const struct acquire_want *want = &job->wants[i];
		struct slotset set;
		unsigned count;

		if (held_is_likely(job->held, job->directory, job->group, want->lock))
			continue;
		if (config_slots(job->config, want->lock, job->group, &set, err))
			return -1;
		count = want->all ? set.count : want->count;
		if (set.count && count > set.count)
			count = 0; /* acquire() refuses it, with the better reason */
		slotset_free(&set);
		*slots += count;
		length += count * held_entry_min_size(job->group, want->lock);
	}
	return variables_check_held(length, err);
}

enum acquire_result request_acquire(struct request *request, struct error *err)
{
	enum acquire_result result;

	result = acquire(&request->job, err);
	talk_close(&request->talk);
	if (result != ACQUIRE_ERROR)
		*err->text = '\0'; /* of what failed and was then done otherwise */
	return result;
}

int *request_fds(const struct request *request, size_t *count)
{
	size_t capacity = 1;
	int *fds;

	for (unsigned i = 0; i < request->job.count; i++)
		capacity += grant_count(request->job.grants[i]);
	fds = calloc(capacity, sizeof(*fds));
	*count = 0;
	for (unsigned i = 0; fds && i < request->job.count; i++)
		*count += grant_fds(request->job.grants[i], fds + *count);
	return fds;
}

void request_keeper(struct keeper_task *task, const struct request *request, const int *fds,
		    size_t count)
{
	task->fds = fds;
	task->count = count;
	record_start(request->job.kind, request->job.secret, task->own, sizeof(task->own));
	task->mark_offset = RECORD_STATE_OFFSET;
	task->mark_size = RECORD_STATE_SIZE;
	task->marks[KEEPER_ENDED] = record_states[RECORD_ENDED];
	task->marks[KEEPER_EXPIRED] = record_states[RECORD_EXPIRED];
	task->marks[KEEPER_RELEASED] = record_states[RECORD_RELEASED];
	task->title = command_title.start;
	task->title_size = command_title.size;
}

int request_write_records(const struct request *request, struct error *err)
{
	const struct acquire_job *job = &request->job;
	struct record_text text;

	record_format(&job->record, &text);
	for (unsigned i = 0; i < job->count; i++) {
		if (grant_rewrite(job->grants[i], &text, err))
			return -1;
	}
	return 0;
}
