/* What commands print to stdout: all of it, or an error. */
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "check.h"
#include "cli/command.h"
#include "tempdir.h"

static int left; /* allocations of jansson's until one fails, and only that */

static void *allocate(size_t size)
{
	return left-- == 0 ? NULL : malloc(size);
}

static void setup(void)
{
	tempdir_make();
	tempdir_write_text("groups.ini", "[slots]\nhw1 = 2\n[slots kits]\n* = kit-a kit-b\n");
	cr_assert(ge(int, dup2(open("err", O_WRONLY | O_CREAT, 0600), STDERR_FILENO), 0));
}

TestSuite(output, .init = setup, .fini = tempdir_remove);

/* Calls a command with -J; *printed becomes how many bytes it wrote to stdout. The exit status. */
static int call_for_json(const struct command *command, int allocations, off_t *printed)
{
	char f[] = "-f", file[] = "groups.ini", d[] = "-d", json[] = "-J", *name = strdup("x");
	char *argv[] = {name, f, file, d, tempdir, json, NULL};
	struct command_call call = {.command = command, .argc = 6, .argv = argv};
	int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), was = dup(STDOUT_FILENO);
	int status;

	dup2(out, STDOUT_FILENO);
	left = allocations;
	json_set_alloc_funcs(allocate, free);
	status = command->run(&call);
	json_set_alloc_funcs(malloc, free);
	dup2(was, STDOUT_FILENO);
	*printed = lseek(out, 0, SEEK_END);
	close(was);
	close(out);
	free(name);
	return status;
}

static void check_whole_or_nothing(const struct command *command)
{
	off_t whole, printed;
	int refused = 0;

	cr_assert(zero(int, call_for_json(command, 1000000, &whole)));
	cr_assert(gt(llong, whole, 100));
	for (int i = 0; i < 100; i++) {
		int status = call_for_json(command, i, &printed);

		cr_assert(eq(int, status, status ? COMMAND_FAILED : 0));
		cr_assert(eq(llong, printed, status ? 0 : whole), "allocation %d", i);
		refused += status != 0;
	}
	cr_assert(gt(int, refused, 20));
}

Test(output, of_which_is_whole_or_nothing)
{
	check_whole_or_nothing(&command_which);
}

Test(output, of_status_is_whole_or_nothing)
{
	check_whole_or_nothing(&command_status);
}
