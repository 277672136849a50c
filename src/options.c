#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void build(const struct option_spec *specs, char letters[2 * OPTIONS_MAX + 3],
		  struct option longs[OPTIONS_MAX + 1])
{
	char *p = letters;
	int i = 0;

	*p++ = '+'; /* stop at the first operand: what follows is the command's own */
	*p++ = ':'; /* tell a missing argument from an unknown option */
	for (; specs[i].name; i++) {
		longs[i] = (struct option){specs[i].name,
					   specs[i].argument ? required_argument : no_argument,
					   NULL, specs[i].key};
		if (specs[i].key > 255)
			continue;
		*p++ = (char)specs[i].key;
		if (specs[i].argument)
			*p++ = ':';
	}
	*p = '\0';
	longs[i] = (struct option){0};
}

int options_next(const struct option_spec *specs, const char *command, int argc, char **argv,
		 const char **argument, struct error *err)
{
	char letters[2 * OPTIONS_MAX + 3];
	struct option longs[OPTIONS_MAX + 1];
	const char *blank = *command ? " " : "", *word;
	int key;

	build(specs, letters, longs);
	opterr = 0;
	key = getopt_long(argc, argv, letters, longs, NULL);
	*argument = optarg;
	if (key == -1)
		return OPTIONS_END;
	if (key != '?' && key != ':')
		return key;
	/* A long option stands in the argument just read; of a short one getopt tells the letter. */
	word = argv[optind - 1];
	if (key == ':')
		error_set(err, "option '%s' needs an argument; see 'grouplock%s%s --help'", word,
			  blank, command);
	else if (!strncmp(word, "--", 2))
		error_set(err,
			  "unknown, ambiguous or misused option '%s'; see 'grouplock%s%s --help'",
			  word, blank, command);
	else
		error_set(err, "unknown option '-%c'; see 'grouplock%s%s --help'", optopt, blank,
			  command);
	return OPTIONS_BAD;
}

void options_print(const struct option_spec *specs)
{
	for (; specs->name; specs++) {
		char left[48];

		if (specs->key > 255)
			snprintf(left, sizeof(left), "    --%s%s%s", specs->name,
				 specs->argument ? " " : "",
				 specs->argument ? specs->argument : "");
		else
			snprintf(left, sizeof(left), "-%c, --%s%s%s", specs->key, specs->name,
				 specs->argument ? " " : "",
				 specs->argument ? specs->argument : "");
		printf("  %-32s %s\n", left, specs->help);
	}
}
