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
	struct finding finding = {level, line, NULL};
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
	/* 0, no line, becomes the largest number. */
	unsigned a = ((const struct finding *)left)->line - 1;
	unsigned b = ((const struct finding *)right)->line - 1;

	return (a > b) - (a < b);
}

/* qsort(3) of glibc is a merge sort where there is memory, but does not promise to be stable. */
void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->count; i++) {
		struct finding finding = findings->list[i];
		size_t low = 0, high = i;

		if (compare(&findings->list[i - 1], &finding) <= 0)
			continue;
		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (compare(&findings->list[middle], &finding) <= 0)
				low = middle + 1;
			else
				high = middle;
		}
		memmove(&findings->list[low + 1], &findings->list[low],
			(i - low) * sizeof(finding));
		findings->list[low] = finding;
	}
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
