#include "check/lint.h"

#include <stdlib.h>
#include <string.h>

#include "check/lint_file.h"
#include "config/config.h"
#include "config/config_text.h"

static char *find_directory(const struct lint_file *file)
{
	const char *found = NULL;

	for (size_t i = 0; i < file->count; i++) {
		const struct lint_item *item = &file->items[i];

		/* A section's head may have that name, but no key. */
		if (item->key && !strcmp(item->name, CONFIG_SECTION_MAIN ":directory") &&
		    *item->value == '/')
			found = item->value;
	}
	return found ? strdup(found) : NULL;
}

/* The net below all this: what run refuses is never called good. */
static void ask_run(const char *path, struct findings *findings)
{
	struct error err;
	struct config *config;
	char *message = err.text, *end;
	size_t length = strlen(path);
	unsigned line = 0;

	if (findings->levels[FINDING_ERROR])
		return;
	config = config_load(path, &err);
	/* A message may begin with "PATH:LINE: ". */
	if (!config && !strncmp(message, path, length) && message[length] == ':') {
		line = (unsigned)strtoul(message + length + 1, &end, 10);
		message = line && !strncmp(end, ": ", 2) ? end + 2 : message;
	}
	if (!config)
		findings_add(findings, FINDING_ERROR, line, "grouplock run refuses the file: %s",
			     message);
	config_free(config);
}

void lint_config(const char *path, struct findings *findings, char **directory)
{
	struct lint_file file = {.findings = findings};
	struct config_text text;
	struct error err;
	bool bad = config_text_read(&text, path, &err) || judge_open(&file.judge, &err);

	*directory = NULL;
	file.content = text.bytes;
	file.size = text.size;
	if (!bad) {
		bad = lint_lines(&file, &err) || lint_rules(&file, &err);
		judge_close(&file.judge);
	}
	if (bad)
		findings_add(findings, FINDING_ERROR, 0, "%s", err.text);
	else
		*directory = find_directory(&file);
	ask_run(path, findings);
	lint_free(&file);
	config_text_free(&text);
}
