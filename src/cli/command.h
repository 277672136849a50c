/*
 * command - what main and the commands share. Only they print, and only they exit.
 */
#ifndef GROUPLOCK_COMMAND_H
#define GROUPLOCK_COMMAND_H

#include <stddef.h>

#include "base/error.h"
#include "cli/options.h"
#include "config/resolve.h"

/* Exit statuses of grouplock itself; launch.h has those of a command that does not start. */
#define COMMAND_FAILED 125 /* usage, config, directory ... */
#define COMMAND_NO_SLOT 75 /* EX_TEMPFAIL of sysexits.h: try again later */

struct command {
	const char *name;
	const char *operands; /* of its usage line */
	const char *summary;
	const struct option_spec *options;
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(const struct command *self, struct resolve_options *resolve, int argc,
		   char **argv);
};

extern const struct command command_run, command_claim, command_release;
extern const struct command command_status, command_which, command_check;

/* Prints "grouplock: TEXT" to stderr and returns COMMAND_FAILED. */
int command_fail(const struct error *err);

/*
 * Prints "(exit STATUS)" to stdout and returns it: a shell that evals what a failed claim prints must
 * not go on as if nothing were. eval of nothing is true, eval of this has the status.
 */
int command_fail_in_shell(int status);

/* Prints the help of a command to stdout; the exit status. */
int command_help(const struct command *self);

/*
 * The memory of the process's arguments, for the keeper's title; main sets it at the start, since
 * only main knows where it begins. Read-only for all others.
 */
struct command_title {
	char *start;
	size_t size;
};
extern struct command_title command_title;

#endif
