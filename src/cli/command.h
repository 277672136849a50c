/*
 * command - what main and the commands share. Only they print, and only they exit.
 *
 *     static int cmd_which(struct command_call *call)
 *     {
 *             if (command_parse(call, parse_option, &which, &err))
 *                     return command_help_or_fail(call, &err);
 *             ... call->options, call->operands ...
 */
#ifndef GROUPLOCK_COMMAND_H
#define GROUPLOCK_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/names.h"
#include "cli/options.h"
#include "config/resolve.h"

/* Exit statuses of grouplock itself; launch.h has those of a command that does not start. */
#define COMMAND_FAILED 125 /* usage, config, directory ... */
#define COMMAND_NO_SLOT 75 /* EX_TEMPFAIL of sysexits.h: try again later */

struct command_call;

struct command {
	const char *name;
	const char *operands; /* of its usage line; empty: it takes none */
	const char *summary;
	const struct option_spec *options;
	int (*run)(struct command_call *call); /* returns the exit status */
};

extern const struct command command_run, command_claim, command_release;
extern const struct command command_status, command_which, command_check;

/* A command line, from the command's name on. */
struct command_call {
	const struct command *command;
	int argc;
	char **argv;                    /* [0] is the command's name */
	struct resolve_options options; /* -f and -d, before that name or behind it */
	bool help;                      /* -h: nothing else is asked for */
	char **operands; /* after command_parse(): what follows the options, NULL last */
};

/*
 * Takes an option that is the command's own, one of its table but -f, -d and -h; `argument` lives as
 * long as argv. Returns 0, or -1 with a reason, which ends the parsing.
 */
typedef int command_option(void *arg, int key, const char *argument, struct error *err);

/* A command_option for a command with one option of its own, a flag: `flag` is the bool to set. */
int command_take_flag(void *flag, int key, const char *argument, struct error *err);

/*
 * The one place where a command's options are read: calls `own` for those of its own. Returns 0 with
 * call->operands, none for a command that takes none. -1: there is nothing to do but to
 * return command_help_or_fail(); call->help, or err says what is wrong.
 */
int command_parse(struct command_call *call, command_option *own, void *arg, struct error *err);

/* Prints the command's help to stdout if -h was given, else the error; the exit status. */
int command_help_or_fail(const struct command_call *call, const struct error *err);

/* Prints "grouplock: TEXT" to stderr. The text is what error_set() made of it: one line, escaped. */
void command_say(const struct error *line);

/* The same for what went wrong; returns COMMAND_FAILED. */
int command_fail(const struct error *err);

/*
 * Prints "(exit STATUS)" to stdout and returns it: a shell that evals what a failed claim prints must
 * not go on as if nothing were. eval of nothing is true, eval of this has the status.
 */
int command_fail_in_shell(int status);

/* What was printed to stdout must have got there: 0, or an error is printed and its status returned. */
int command_finish_stdout(void);

/* For an option that may be repeated: adds a name, folded, that is not among them. -1 with a reason. */
int command_add_name(struct names *names, const char *name, struct error *err);

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
