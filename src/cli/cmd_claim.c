#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdlimit.h"
#include "base/jsonout.h"
#include "base/num.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/variables.h"
#include "keep/bound.h"
#include "keep/keeper.h"

#define KEY_PID 300
#define KEY_MAX 301
#define KEY_JSON 'J'

static const struct option_spec claim_options[] = {
	REQUEST_OPTIONS,
	{KEY_PID, "pid", "PID",
	 "hold until this process ends, instead of the calling shell; 0: until --max"},
	{KEY_MAX, "max", "DURATION", "hold no longer than this"},
	{KEY_JSON, "json", NULL, "print a JSON object instead of shell assignments"},
	OPTIONS_COMMON,
	{0},
};

struct claim {
	struct request request;
	bool json, has_pid;
	pid_t pid;
	int64_t max; /* nanoseconds; CLOCK_NEVER: not given */
	struct bound bound;
	char id[RECORD_SHORT_ID + 1];
};

static int parse_option(void *arg, int key, const char *argument, struct error *err)
{
	struct claim *claim = arg;
	uint64_t pid;

	switch (key) {
	case KEY_PID:
		if (!num_parse(argument, INT32_MAX, &pid))
			return error_set(err, "bad process id '%s' for --pid", argument);
		claim->has_pid = true;
		claim->pid = (pid_t)pid;
		return 0;
	case KEY_MAX:
		if (request_duration("--max", argument, &claim->max, err))
			return -1;
		return claim->max ? 0 : error_set(err, "--max 0 would end the claim at once");
	case KEY_JSON:
		claim->json = true;
		return 0;
	default:
		return request_option(&claim->request, key, argument, err);
	}
}

/* --- what is printed ---------------------------------------------------------------------- */

static int print_variable(void *arg, const char *name, const char *value)
{
	char *quoted = text_quote(value, true);

	if (!quoted)
		return -1;
	fprintf(arg, "%s=%s; export %s\n", name, quoted, name);
	free(quoted);
	return 0;
}

static int put_json(FILE *out, const struct claim *claim)
{
	const struct acquire_job *job = &claim->request.job;
	json_t *root = json_object(), *slots = json_object();
	char *held;

	for (unsigned i = 0; i < job->count; i++) {
		const struct grant *grant = job->grants[i];
		json_t *names = json_array();
		char *lock = utf8_mend(grant_lock(grant));

		for (unsigned j = 0; j < grant_count(grant); j++)
			jsonout_append(&names, jsonout_text(grant_label(grant, j)));
		jsonout_set(&slots, lock, names);
		free(lock);
	}
	if (variables_held(job, &held)) {
		json_decref(root);
		json_decref(slots);
		return -1;
	}
	jsonout_set(&root, "id", jsonout_text(claim->id));
	jsonout_set(&root, "worker", jsonout_text(job->record.worker));
	jsonout_set(&root, "group", jsonout_text(job->group));
	jsonout_set(&root, "slots", slots);
	jsonout_set(&root, "held", jsonout_text(held ? held : ""));
	jsonout_set(&root, "keeper", json_integer(job->record.process.pid));
	jsonout_set(&root, "pid", claim->bound.pid ? json_integer(claim->bound.pid) : json_null());
	jsonout_set(&root, "max", jsonout_seconds(claim->max == CLOCK_NEVER ? -1 : claim->max));
	free(held);
	return jsonout_print(out, root);
}

static int put_claim(FILE *out, const void *arg)
{
	const struct claim *claim = arg;
	struct error ignored;

	if (claim->json)
		return put_json(out, claim);
	return variables_each(&claim->request.job, print_variable, out, &ignored) ||
			       print_variable(out, "GROUPLOCK_CLAIM", claim->id)
		       ? -1
		       : 0;
}

static int fail_in_shell(const struct claim *claim, int status)
{
	return claim->json || !status ? status : command_fail_in_shell(status);
}

/* --- holding ------------------------------------------------------------------------------ */

/* Writes into each slot who holds it from now on: the keeper. */
static int write_records(struct claim *claim, pid_t keeper, struct error *err)
{
	struct record *record = &claim->request.job.record;
	struct proc_identity self = record->process;

	proc_other(&record->process, &self, keeper);
	if (!proc_is_here(&record->process, &self))
		return error_set(err,
				 "cannot identify the keeper, pid %ld, in /proc, so nobody could "
				 "release the claim",
				 (long)keeper);
	record->since = clock_wall();
	record->until = claim->max == CLOCK_NEVER ? 0 : clock_add(record->since, claim->max);
	return request_write_records(&claim->request, err);
}

static int start_keeper(const struct claim *claim, int commit_fd, pid_t *pid, struct error *err)
{
	struct keeper_task task = {
		.pidfd = claim->bound.pidfd,
		.timeout = claim->max,
		.releasable = true,
		.commit_fd = commit_fd,
	};
	size_t count;
	int *fds = request_fds(&claim->request, &count);
	enum keeper_result result;

	if (!fds)
		return error_sys(err, ENOMEM, "cannot start the keeper");
	request_keeper(&task, &claim->request, fds, count);
	result = keeper_start(&task, pid, err);
	free(fds);
	return result == KEEPER_STARTED ? 0 : -1;
}

/* Whether we shall end when signals are no longer blocked but `was`: a signal that is ignored stays pending, too. */
static bool will_end(const sigset_t *was)
{
	/* Those that do not end a process by themselves: signal(7). */
	static const char harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH,
					SIGTSTP, SIGTTIN, SIGTTOU};
	struct sigaction action;
	sigset_t pending;

	sigpending(&pending);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		if (sigismember(&pending, signal) == 1 && !sigismember(was, signal) &&
		    !memchr(harmless, signal, sizeof(harmless)) &&
		    !sigaction(signal, NULL, &action) && action.sa_handler == SIG_DFL)
			return true;
	}
	return false;
}

/* With the keeper there, but ready to let go if we end: writes who holds, and tells the caller. */
static int tell_caller(struct claim *claim, pid_t keeper, const sigset_t *was, struct error *err)
{
	struct error reason;

	if (write_records(claim, keeper, err))
		return -1;
	if (bound_has_ended(&claim->bound))
		return error_set(err, "process %ld, which the claim is bound to, has ended",
				 (long)claim->bound.pid);
	if (will_end(was) || !output_whole(put_claim, claim, &reason))
		return 0;
	return error_set(err, "cannot print the claim, so it is released: %s", reason.text);
}

/*
 * From the slots to a claim that its caller knows of, or to none: whoever ends this process
 * between the two, SIGKILL included, ends the claim with it.
 */
static int hold(struct claim *claim, struct error *err)
{
	sigset_t all, was;
	pid_t keeper = 0;
	int result, commit[2];
	ssize_t wrote = 1;

	if (pipe2(commit, O_CLOEXEC))
		return error_sys(err, errno, "cannot create a pipe");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	result = start_keeper(claim, commit[0], &keeper, err);
	close(commit[0]);
	if (!result)
		result = tell_caller(claim, keeper, &was, err);
	if (!result && !will_end(&was)) {
		do
			wrote = write(commit[1], "", 1);
		while (wrote < 0 && errno == EINTR);
	}
	if (wrote != 1)
		result = error_sys(err, errno, "cannot reach the keeper, pid %ld", (long)keeper);
	close(commit[1]);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return result;
}

static int bind(struct claim *claim, struct error *err)
{
	claim->bound = (struct bound){0, -1};
	if (claim->has_pid && !claim->pid) {
		if (claim->max == CLOCK_NEVER)
			return error_set(err, "--pid 0 needs --max: nothing is held for ever");
		return 0;
	}
	if (claim->has_pid)
		return bound_open(&claim->bound, claim->pid, err);
	return bound_open_caller(&claim->bound, err);
}

static int claim_slots(struct claim *claim, struct error *err)
{
	struct request *request = &claim->request;
	struct record *record = &request->job.record;
	char command[RECORD_COMMAND_SIZE - 16] = "";
	struct proc_identity bound = {.start = 0};
	size_t slots;

	fdlimit_raise(&request->fd_limit); /* ours alone: nothing is exec'ed */
	if (bind(claim, err) || request_resolve(request, err) ||
	    request_check(request, &slots, err))
		return COMMAND_FAILED;
	if (claim->bound.pid) {
		proc_command(claim->bound.pid, command, sizeof(command));
		proc_other(&bound, &record->process, claim->bound.pid);
	}
	snprintf(record->command, sizeof(record->command), "claim%s%s", *command ? " of " : "",
		 command);
	record->bound = claim->bound.pid;
	record->boundstart = bound.start;
	record->sigqueue = 1;
	record->script = !claim->has_pid;
	request->job.gone_fd = claim->bound.pidfd;
	request->job.kind = RECORD_CLAIM;
	request->job.adds_to_held = true;
	switch (request_acquire(request, err)) {
	case ACQUIRE_OK:
		memcpy(claim->id, record->id, RECORD_SHORT_ID);
		return hold(claim, err) ? COMMAND_FAILED : 0;
	case ACQUIRE_BUSY:
	case ACQUIRE_TIMEOUT:
		return request->conflict_status;
	case ACQUIRE_ERROR:
		break;
	}
	return COMMAND_FAILED;
}

static int cmd_claim(struct command_call *call)
{
	static struct claim claim; /* large, and there is one */
	struct error err = {""};
	int status;

	claim.max = CLOCK_NEVER;
	if (request_parse(&claim.request, call, parse_option, &claim, &err))
		return fail_in_shell(&claim, command_help_or_fail(call, &err));
	status = claim_slots(&claim, &err);
	if (status && *err.text) /* what was tried again is no matter if it succeeded then */
		command_fail(&err);
	return fail_in_shell(&claim, status);
}

const struct command command_claim = {
	"claim",
	"",
	"wait for a slot, then hold it until the calling shell ends or releases it",
	claim_options,
	cmd_claim,
};
