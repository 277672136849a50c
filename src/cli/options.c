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

/* The long option that `word` (behind its dashes, up to an equals sign) begins, unless several do. */
static const struct option_spec *find_long(const struct option_spec *specs, const char *word,
					   bool *ambiguous)
{
	const struct option_spec *found = NULL;
	size_t size = strcspn(word, "=");

	*ambiguous = false;
	for (; specs->name; specs++) {
		if (strncmp(specs->name, word, size) != 0)
			continue;
		if (!specs->name[size])
			return specs;
		*ambiguous = found != NULL;
		found = specs;
	}
	return found;
}

/* Why getopt took no long option for `word`, which begins with two dashes. */
static void explain_long(const struct option_spec *specs, const char *word, const char *hint,
			 struct error *err)
{
	char names[OPTIONS_MAX][SUGGEST_MAX], shown[SUGGEST_MAX];
	const struct option_spec *spec;
	struct suggest suggest;
	bool ambiguous;

	spec = find_long(specs, word + 2, &ambiguous);
	if (spec && !ambiguous) {
		error_set(err, "option '--%s' takes no argument; %s", spec->name, hint);
		return;
	}
	error_set(err, "%s option '%s'; %s", spec ? "ambiguous" : "unknown", word, hint);
	snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(word, "="), word);
	suggest_begin(&suggest, shown);
	for (int i = 0; !spec && specs[i].name; i++) {
		snprintf(names[i], sizeof(names[i]), "--%s", specs[i].name);
		suggest_offer(&suggest, names[i]);
	}
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
