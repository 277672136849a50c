#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdlimit.h"
#include "cli/command.h"
#include "cli/request.h"
#include "cli/variables.h"
#include "keep/keeper.h"
#include "keep/launch.h"

static const struct option_spec run_options[] = {
	REQUEST_OPTIONS,
	{'k', "keep-until-closed", NULL,
	 "hold until the last process that inherited the slot ends"},
	OPTIONS_COMMON,
	{0},
};

struct run {
	bool keep_until_closed;
	int pidfd; /* of this process, for the keeper; -1: none */
	char *const *command;
	struct request request;
};

static int parse_option(void *arg, int key, const char *argument, struct error *err)
{
	struct run *run = arg;

	if (key != 'k')
		return request_option(&run->request, key, argument, err);
	run->keep_until_closed = true;
	return 0;
}

static int set_variable(void *arg, const char *name, const char *value)
{
	(void)arg;
	return setenv(name, value, 1);
}

static void say_no_keeper(const char *why)
{
	struct error line;

	error_set(&line,
		  "no keeper, since %s: the slot is held until the last process that inherited it "
		  "ends, as with -k",
		  why);
	command_say(&line);
}

/*
 * The pidfd that a keeper watches this process by, or -1 where there is to be none: then the
 * record must say so before anybody reads it.
 */
static int open_pidfd(struct run *run, struct error *err)
{
	run->pidfd = -1;
	if (run->keep_until_closed)
		return 0;
	switch (keeper_open_pidfd(getpid(), 3, &run->pidfd)) {
	case KEEPER_STARTED:
		return 0;
	case KEEPER_UNSUPPORTED:
		if (run->request.verbose)
			say_no_keeper("pidfd_open(2) is missing or forbidden here");
		return 0;
	case KEEPER_ERROR:
		break;
	}
	return error_sys(err, errno, "cannot open a pidfd for the keeper");
}

/* Starts the keeper if there is anything to keep. */
static int start_keeper(struct run *run, const int *fds, size_t count, struct error *err)
{
	struct keeper_task task = {.pidfd = run->pidfd, .timeout = CLOCK_NEVER, .commit_fd = -1};
	pid_t keeper;

	if (!count || run->pidfd < 0)
		return 0;
	request_keeper(&task, &run->request, fds, count);
	switch (keeper_start(&task, &keeper, err)) {
	case KEEPER_STARTED:
		return 0;
	case KEEPER_UNSUPPORTED:
		/* The record has to say that whoever inherits the slots holds them, too. */
		say_no_keeper("there is no memory for a copy of this process");
		*err->text = '\0';
		run->request.job.record.kind = RECORD_KEEP;
		return request_write_records(&run->request, err);
	case KEEPER_ERROR:
		break;
	}
	return -1;
}

/* Returns if that fails. */
static int start(struct run *run, struct error *err)
{
	size_t count;
	int *fds = request_fds(&run->request, &count), status = LAUNCH_FAILED;

	if (!fds) {
		error_sys(err, ENOMEM, "cannot start '%s'", run->command[0]);
	} else if (!variables_each(&run->request.job, set_variable, NULL, err) &&
		   !start_keeper(run, fds, count, err) && !launch_pass(fds, count, err)) {
		fdlimit_restore(&run->request.fd_limit);
		status = launch(run->command, err);
	}
	free(fds);
	return status;
}

static int get_slots_and_start(struct run *run, struct error *err)
{
	struct acquire_job *job = &run->request.job;

	if (open_pidfd(run, err))
		return COMMAND_FAILED;
	job->kind = run->pidfd < 0 ? RECORD_KEEP : RECORD_RUN;
	record_command(&job->record, run->command);
	switch (request_acquire(&run->request, err)) {
	case ACQUIRE_OK:
		return start(run, err);
	case ACQUIRE_BUSY:
	case ACQUIRE_TIMEOUT:
		return run->request.conflict_status;
	case ACQUIRE_ERROR:
		break;
	}
	return COMMAND_FAILED;
}

static int cmd_run(struct command_call *call)
{
	static struct run run; /* large, and there is one */
	struct error err = {""};
	rlim_t fd_limit;
	size_t slots;
	int status;

	if (request_parse(&run.request, call, parse_option, &run, &err))
		return command_help_or_fail(call, &err);
	run.command = call->operands;
	if (!*run.command) {
		error_set(&err, "no command to run; see 'grouplock run --help'");
		return command_fail(&err);
	}
	fd_limit = fdlimit_raise(&run.request.fd_limit);
	/* What cannot be started must not wait first. */
	if (request_resolve(&run.request, &err) || request_check(&run.request, &slots, &err) ||
	    launch_check_fds(slots, fd_limit, &err))
		return command_fail(&err);
	status = get_slots_and_start(&run, &err);
	if (*err.text)
		command_fail(&err);
	return status;
}

const struct command command_run = {
	"run",
	"[--] COMMAND [ARG...]",
	"wait for a slot, then run a command that holds it until it ends",
	run_options,
	cmd_run,
};
