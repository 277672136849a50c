#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "base/text.h"
#include "check/inspect.h"
#include "check/lint.h"
#include "cli/command.h"

#define KEY_STRICT 256
#define BAD 1 /* exit status: there are errors */

static const struct option_spec check_options[] = {
	{KEY_STRICT, "strict", NULL, "exit with 1 for warnings too"},
	OPTIONS_COMMON,
	{0},
};

/* Of a file, as compilers do, so that editors find the place. */
static void print(void *file, const struct finding *finding)
{
	if (file)
		printf("%s:", (const char *)file);
	if (finding->line)
		printf("%u:", finding->line);
	printf("%s%s: %s\n", file ? " " : "", finding_word(finding->level), finding->text);
	fflush(stdout); /* the next one may take long */
}

static void check_config(const char *path, const char *source, struct findings *total,
			 char **directory)
{
	struct findings findings = {0};
	struct error name;

	error_set(&name, "%s", path);
	lint_config(path, &findings, directory);
	for (size_t i = 0; i < findings.count; i++)
		print(name.text, &findings.list[i]);
	for (int level = 0; level < FINDING_LEVELS; level++)
		total->levels[level] += findings.levels[level];
	if (!findings.levels[FINDING_WARNING] && !findings.levels[FINDING_ERROR])
		printf("ok: config file '%s' (%s) has no errors\n", name.text, source);
	findings_free(&findings);
}

static int cmd_check(struct command_call *call)
{
	struct findings findings = {.hear = print};
	struct resolved where;
	const char *config;
	char *configured;
	struct error err;
	bool strict = false;

	if (command_parse(call, command_take_flag, &strict, &err))
		return command_help_or_fail(call, &err);
	if (resolve_paths(&where, &call->options, &config, &err))
		return command_fail(&err);
	check_config(config, where.config_source, &findings, &configured);
	resolve_directory(&where, config, configured);
	fflush(stdout);
	inspect_directory(where.directory, where.directory_source, &findings);
	free(configured);
	if (fflush(stdout) || ferror(stdout)) {
		error_sys(&err, errno, "cannot write the findings");
		return command_fail(&err);
	}
	return findings.levels[FINDING_ERROR] || (strict && findings.levels[FINDING_WARNING]) ? BAD
											      : 0;
}

const struct command command_check = {
	.name = "check",
	.operands = "",
	.summary = "check the config file and the directory, and prove that locks work there",
	.options = check_options,
	.run = cmd_check,
};
