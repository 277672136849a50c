/*
 * options - the one table of a command's options, from which getopt_long(3) reads, --help prints
 * and completion completes.
 */
#ifndef GROUPLOCK_OPTIONS_H
#define GROUPLOCK_OPTIONS_H

#include "base/error.h"

/* One option. The table of a command ends with one whose name is NULL. */
struct option_spec {
	int key;          /* the short option's letter, or a number from 256 up if it has none */
	const char *name; /* the long option, without dashes */
	const char *argument; /* its argument's word in help, or NULL: it takes none */
	const char *help;
};

/* What all commands take, before their name or after. */
#define OPTIONS_COMMON                                                            \
	{'f', "config", "FILE", "the config file, instead of $GROUPLOCK_CONFIG"}, \
		{'d', "directory", "DIR",                                         \
		 "the directory of the slots, instead of $GROUPLOCK_DIR"},        \
	{                                                                         \
		'h', "help", NULL, "show this help and exit"                      \
	}

#define OPTIONS_MAX 32

enum {
	OPTIONS_END = -1,
	OPTIONS_BAD = -2, /* err says what and why */
};

/*
 * The next option of argv, options ending at the first operand: its key, with *argument (or
 * NULL), or OPTIONS_END with optind at the first operand, or OPTIONS_BAD. Set optind to 0 before
 * the first call. `command` names the command in messages, "" before there is one.
 */
int options_next(const struct option_spec *specs, const char *command, int argc, char **argv,
		 const char **argument, struct error *err);

/* Prints the lines of the table to stdout, aligned. */
void options_print(const struct option_spec *specs);

#endif
