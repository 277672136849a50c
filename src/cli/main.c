#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "cli/command.h"

static const struct command *const commands[] = {
	&command_run,    &command_claim, &command_release,
	&command_status, &command_which, &command_check,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static const struct option_spec main_options[] = {
	OPTIONS_COMMON,
	{'V', "version", NULL, "show the version and exit"},
	{0},
};

/* Whose operands are a command's name and what that one parses. */
static const struct command grouplock = {
	.name = "",
	.operands = "COMMAND [OPTION...]",
	.options = main_options,
};

static int help(void)
{
	printf("Usage: grouplock [-f FILE] [-d DIR] COMMAND [OPTION...]\n\n"
	       "Limits how many builds run at once on a machine that several CI workers share.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n");
	options_print(main_options);
	printf("\nSee 'grouplock COMMAND --help', grouplock(1) and groups.ini(5).\n");
	return command_finish_stdout();
}

/*
 * A caller may have closed stdin, stdout or stderr. Then a lock file would get that number and
 * our messages would be written into it: fill the gaps, until the exec, with /dev/null, which,
 * opened for reading, still lets a write to stdout fail.
 */
static int guard_stdio(struct error *err)
{
	struct pollfd fds[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
	bool polled = poll(fds, 3, 0) >= 0; /* one call for all three; it needs memory, though */

	for (int fd = 0; fd <= 2; fd++) {
		bool closed = polled ? fds[fd].revents & POLLNVAL : fcntl(fd, F_GETFD) < 0;

		if (closed && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return error_sys(err, errno, "cannot open '/dev/null'");
	}
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

/*
 * Lets a write beyond `ulimit -f` fail instead of ending this process without a word. A handler, since
 * the command would have what is ignored, too: execve(2). What was ignored before stays so.
 */
static void guard_file_size(void)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART}, was;

	if (!sigaction(SIGXFSZ, &action, &was) && was.sa_handler == SIG_IGN)
		sigaction(SIGXFSZ, &was, NULL);
}

/* As claim fails, where there is no command yet that could. */
static int fail(bool claims, const struct error *err)
{
	int status = command_fail(err);

	return claims ? command_fail_in_shell(status) : status;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

/*
 * Whether that is probably what was called: by the first operand that is a command's name, since there may be
 * others of an option that is not known. Without one, any word may be it, as in `-d claim`.
 */
static bool calls_claim(int argc, char **argv)
{
	const struct command *called = NULL;
	const char *argument;
	struct error ignored;

	optind = 0;
	while (options_next(main_options, "", argc, argv, &argument, &ignored) != OPTIONS_END)
		;
	for (int i = optind; i < argc && !called; i++)
		called = find_command(argv[i]);
	for (int i = 0; i < argc && !called; i++)
		called = strcmp(argv[i], command_claim.name) ? NULL : &command_claim;
	return called == &command_claim;
}

static int unknown_command(const char *word, struct error *err)
{
	struct suggest suggest;

	suggest_begin(&suggest, word);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		suggest_offer(&suggest, commands[i]->name);
	error_set(err, "unknown command '%s'; see 'grouplock --help'", word);
	suggest_append(&suggest, err);
	if (!*suggest.best) /* it may be meant as what `run` is to run */
		error_set(err,
			  "unknown command '%s'; to run it with a slot: grouplock run %s ...; "
			  "see 'grouplock --help'",
			  word, word);
	return fail(!strcmp(suggest.best, command_claim.name), err);
}

static int take_version(void *version, int key, const char *argument, struct error *err)
{
	(void)key; /* -V is all there is */
	(void)argument;
	(void)err;
	*(bool *)version = true;
	return -1;
}

int main(int argc, char **argv)
{
	struct command_call call = {.command = &grouplock, .argc = argc, .argv = argv};
	struct error err;
	bool version = false;

	if (guard_stdio(&err))
		return fail(calls_claim(argc, argv), &err);
	guard_file_size();
	if (argc > 0)
		command_title = (struct command_title){argv[0], (size_t)(argv[argc - 1] - argv[0]) +
									strlen(argv[argc - 1]) + 1};
	if (command_parse(&call, take_version, &version, &err)) {
		if (call.help)
			return help();
		if (version) {
			printf("grouplock %s\n", GROUPLOCK_VERSION);
			return command_finish_stdout();
		}
		return fail(calls_claim(argc, argv), &err);
	}
	if (!*call.operands) {
		error_set(&err,
			  "no command; usage: grouplock run [OPTION...] -- COMMAND [ARG...], or "
			  "claim, release, status, which, check; see 'grouplock --help'");
		return fail(calls_claim(argc, argv), &err);
	}
	call.argc -= (int)(call.operands - argv);
	call.argv = call.operands;
	call.command = find_command(call.argv[0]);
	return call.command ? call.command->run(&call) : unknown_command(call.argv[0], &err);
}
