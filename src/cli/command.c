#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/say.h"

struct command_title command_title;

void command_say(const struct error *line)
{
	say_line(line->text, SAY_PATIENCE);
}

int command_fail(const struct error *err)
{
	say_line(err->text, SAY_LAST_PATIENCE);
	return COMMAND_FAILED;
}

int command_fail_in_shell(int status)
{
	printf("(exit %d)\n", status);
	return status;
}

int command_finish_stdout(void)
{
	struct error err;

	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	error_sys(&err, errno, "cannot write to stdout");
	return command_fail(&err);
}

int command_take_flag(void *flag, int key, const char *argument, struct error *err)
{
	(void)key;
	(void)argument;
	(void)err;
	*(bool *)flag = true;
	return 0;
}

int command_parse(struct command_call *call, command_option *own, void *arg, struct error *err)
{
	const struct command *self = call->command;
	const char *argument;
	int key;

	optind = 0;
	while ((key = options_next(self->options, self->name, call->argc, call->argv, &argument,
				   err)) != OPTIONS_END) {
		switch (key) {
		case OPTIONS_BAD:
			return -1;
		case 'f':
			call->options.config = argument;
			break;
		case 'd':
			call->options.directory = argument;
			break;
		case 'h':
			call->help = true;
			return -1;
		default:
			if (own(arg, key, argument, err))
				return -1;
		}
	}
	/* Who is called without so much as a name has no operands either. */
	call->operands = call->argv + (optind < call->argc ? optind : call->argc);
	if (*call->operands && !*self->operands)
		return error_set(err,
				 "unexpected '%s': %s runs no command; see 'grouplock %s --help'",
				 *call->operands, self->name, self->name);
	return 0;
}

int command_help_or_fail(const struct command_call *call, const struct error *err)
{
	const struct command *self = call->command;

	if (!call->help)
		return command_fail(err);
	printf("Usage: grouplock %s [OPTION...]%s%s\n\n%s.\n\n", self->name,
	       *self->operands ? " " : "", self->operands, self->summary);
	options_print(self->options);
	return command_finish_stdout();
}

int command_add_name(struct names *names, const char *name, struct error *err)
{
	char *folded = strdup(name);
	int result = 0;

	if (folded)
		text_fold(folded);
	if (!folded || (!names_contain(names, folded) && names_add(names, folded)))
		result = error_sys(err, ENOMEM, "cannot read '%s'", name);
	free(folded);
	return result;
}
