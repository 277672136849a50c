#include "cli/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

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

/* Why getopt took no long option for `word`, which begins with two dashes. */
static void explain_long(const struct option_spec *specs, const char *word, const char *hint,
			 struct error *err)
{
	char name[SUGGEST_MAX], shown[SUGGEST_MAX];
	const struct option_spec *found = NULL; /* what the word, up to an equals sign, begins */
	struct suggest suggest;
	size_t size = strcspn(word, "=");
	unsigned count = 0;

	snprintf(shown, sizeof(shown), "%.*s", (int)size, word);
	suggest_begin(&suggest, shown);
	for (; specs->name; specs++) {
		snprintf(name, sizeof(name), "--%s", specs->name);
		suggest_offer(&suggest, name);
		if (strncmp(name, word, size) || (count && !found->name[size - 2]))
			continue;
		count = name[size] ? count + 1 : 1; /* the whole name is not ambiguous */
		found = specs;
	}
	if (count == 1) {
		error_set(err, "option '--%s' takes no argument; %s", found->name, hint);
		return;
	}
	error_set(err, "%s option '%s'; %s", count ? "ambiguous" : "unknown", word, hint);
	if (!count)
		suggest_append(&suggest, err);
}

int options_next(const struct option_spec *specs, const char *command, int argc, char **argv,
		 const char **argument, struct error *err)
{
	char letters[2 * OPTIONS_MAX + 3];
	struct option longs[OPTIONS_MAX + 1];
	const char *word;
	char hint[SUGGEST_MAX];
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
	snprintf(hint, sizeof(hint), "see 'grouplock%s%s --help'", *command ? " " : "", command);
	if (key == ':')
		error_set(err, "option '%s' needs an argument; %s", word, hint);
	else if (!strncmp(word, "--", 2))
		explain_long(specs, word, hint, err);
	else
		error_set(err, "unknown option '-%c'; %s", optopt, hint);
	return OPTIONS_BAD;
}

void options_print(const struct option_spec *specs)
{
	for (; specs->name; specs++) {
		char left[48] = "    ";

		if (specs->key <= 255)
			sprintf(left, "-%c, ", specs->key);
		snprintf(left + 4, sizeof(left) - 4, "--%s%s%s", specs->name,
			 specs->argument ? " " : "", specs->argument ? specs->argument : "");
		printf("  %-32s %s\n", left, specs->help);
	}
}
