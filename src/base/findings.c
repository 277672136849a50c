#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Takes the text over. */
static void keep(struct findings *findings, const struct finding *finding)
{
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
	findings->list[findings->count++] = *finding;
}

void findings_add(struct findings *findings, enum finding_level level, unsigned line,
		  const char *format, ...)
{
	struct finding finding = {.level = level, .line = line, .number = findings->count};
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

static int compare(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	unsigned a_line = a->line - 1, b_line = b->line - 1; /* 0, no line, is the largest number */

	if (a_line == b_line) /* qsort(3) does not promise to be stable */
		return (a->number > b->number) - (a->number < b->number);
	return a_line < b_line ? -1 : 1;
}

void findings_sort(struct findings *findings)
{
	if (findings->count)
		qsort(findings->list, findings->count, sizeof(*findings->list), compare);
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
