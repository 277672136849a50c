#include "check/lint.h"

#include <stdlib.h>
#include <string.h>

#include "check/lint_file.h"
#include "config/config.h"
#include "config/config_text.h"

/* --- the judge's last word ---------------------------------------------------------------- */

/*
 * A file without errors must be to iniparser what it is to us: the items that were read from its
 * lines one by one, and no others.
 */
static bool agrees(const struct lint_file *file, const struct config *config)
{
	const char *name, *value;
	size_t i = 0;

	for (; i < file->count && config_item(config, (unsigned)i, &name, &value); i++) {
		const struct lint_item *item = &file->items[i];

		if (strcmp(name, item->name) || !value != !item->value ||
		    (value && strcmp(value, item->value)))
			return false;
	}
	return i == file->count && !config_item(config, (unsigned)i, &name, &value);
}

static void compare(const struct lint_file *file)
{
	struct error err;
	struct config *config;

	if (file->findings->levels[FINDING_ERROR])
		return;
	config = judge_file(&file->judge, file->content, file->size, &err);
	if (!config || !agrees(file, config))
		findings_add(file->findings, FINDING_ERROR, 0,
			     "iniparser reads this file as a whole differently than line by "
			     "line, so check may have missed something: please report this");
	config_free(config);
}

/* --- all of it ---------------------------------------------------------------------------- */

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

static int lint_content(struct lint_file *file, struct error *err)
{
	int result;

	if (judge_open(&file->judge, err))
		return -1;
	result = lint_lines(file, err) || lint_rules(file, err) ? -1 : 0;
	if (!result)
		compare(file);
	judge_close(&file->judge);
	return result;
}

/* Moves "PATH:LINE: " from the front of a message into *line; else *line is 0. */
static const char *take_line(const char *message, const char *path, unsigned *line)
{
	size_t length = strlen(path);
	char *end;

	*line = 0;
	if (strncmp(message, path, length) != 0 || message[length] != ':')
		return message;
	*line = (unsigned)strtoul(message + length + 1, &end, 10);
	return *line && !strncmp(end, ": ", 2) ? end + 2 : message;
}

/* The net below all this: what run refuses is never called good. */
static void ask_run(const char *path, struct findings *findings)
{
	struct error err;
	struct config *config;
	const char *message;
	unsigned line;

	if (findings->levels[FINDING_ERROR])
		return;
	config = config_load(path, &err);
	if (!config) {
		message = take_line(err.text, path, &line);
		findings_add(findings, FINDING_ERROR, line, "grouplock run refuses the file: %s",
			     message);
	}
	config_free(config);
}

void lint_config(const char *path, struct findings *findings, char **directory)
{
	struct lint_file file = {.findings = findings};
	struct config_text text;
	struct error err;
	bool bad = config_text_read(&text, path, &err);

	*directory = NULL;
	file.content = text.bytes;
	file.size = text.size;
	if (bad || lint_content(&file, &err))
		findings_add(findings, FINDING_ERROR, 0, "%s", err.text);
	else
		*directory = find_directory(&file);
	ask_run(path, findings);
	findings_sort(findings);
	lint_free(&file);
	config_text_free(&text);
}
