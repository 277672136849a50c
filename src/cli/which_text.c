#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "cli/which.h"

/* Writes it as people may see it, to `out` if that is not NULL; the columns that it takes. */
static size_t put_escaped(FILE *out, const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1);
	const char *shown = escaped ? escaped : "-";
	size_t columns;

	if (escaped)
		text_escape(escaped, 4 * strlen(text) + 1, text);
	columns = utf8_width(shown);
	if (out)
		fputs(shown, out);
	free(escaped);
	return columns;
}

static void put_pair(FILE *out, const char *key, const char *value, const char *why)
{
	fprintf(out, "%-9s  ", key);
	put_escaped(out, value);
	fputs("  (", out);
	put_escaped(out, why);
	fputs(")\n", out);
}

/* "0-3" or "kit-a kit-b"; nothing for a closed lock. */
static void put_slots(FILE *out, const struct slotset *slots)
{
	if (!slots->names && slots->count > 1)
		fprintf(out, "0-%u", slots->count - 1);
	else if (!slots->names && slots->count)
		fputs("0", out);
	for (unsigned i = 0; slots->names && i < slots->count; i++) {
		fputs(i ? " " : "", out);
		put_escaped(out, slots->names[i]);
	}
}

static void put_padded(FILE *out, const char *text, size_t width)
{
	size_t columns = put_escaped(out, text);

	fprintf(out, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

void which_put_text(FILE *out, const struct which *which)
{
	const struct resolved *where = &which->where;
	size_t width = sizeof("LOCK") - 1;
	char why[RESOLVE_WHY_SIZE];

	resolve_why(where, why);
	put_pair(out, "worker", where->worker, where->worker_source);
	put_pair(out, "group", where->group, why);
	put_pair(out, "config", config_path(where->config), where->config_source);
	put_pair(out, "directory", where->directory, where->directory_source);
	for (unsigned i = 0; i < which->locks.count; i++) {
		size_t columns = put_escaped(NULL, which->locks.list[i]);

		if (columns > width)
			width = columns;
	}
	fputs("\n", out);
	put_padded(out, "LOCK", width);
	fputs("  LIMIT  SLOTS\n", out);
	for (unsigned i = 0; i < which->locks.count; i++) {
		put_padded(out, which->locks.list[i], width);
		fprintf(out, "  %5u  ", which->slots[i].count);
		put_slots(out, &which->slots[i]);
		fputs(which->slots[i].count ? "\n" : "closed\n", out);
	}
}
