#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Takes the text over. */
static void keep(struct findings *findings, const struct finding *finding)
{
	size_t place = findings->count;

	if (findings->count == findings->room) {
		size_t room = findings->room ? 2 * findings->room : 16;
		struct finding *list = realloc(findings->list, room * sizeof(*list));

		if (!list) {
			free(finding->text);
			return;
		}
		findings->list = list;
		findings->room = room;
	}
	/* No line, 0, counts as the largest number. Most come in order. */
	for (; place && findings->list[place - 1].line - 1 > finding->line - 1; place--)
		findings->list[place] = findings->list[place - 1];
	findings->list[place] = *finding;
	findings->count++;
}

void findings_add(struct findings *findings, enum finding_level level, unsigned line,
		  const char *format, ...)
{
	struct finding finding = {.level = level, .line = line};
	char *raw;
	size_t size;
	va_list args;
	int length;

	findings->levels[level]++;
	va_start(args, format);
	length = vasprintf(&raw, format, args);
	va_end(args);
	if (length < 0)
		return;
	/* What is quoted may be any bytes. Escaped, each takes four characters at most. */
	size = 4 * (size_t)length + 1;
	finding.text = malloc(size);
	if (finding.text)
		text_escape(finding.text, size, raw);
	free(raw);
	if (!finding.text)
		return;
	if (!findings->hear) {
		keep(findings, &finding);
		return;
	}
	findings->hear(findings->arg, &finding);
	free(finding.text);
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->list[i].text);
	free(findings->list);
	findings->list = NULL;
	findings->count = findings->room = 0;
}

const char *finding_word(enum finding_level level)
{
	static const char *const words[FINDING_LEVELS] = {"ok", "warning", "error"};

	return words[level];
}
