/* Each piece is handed to iniparser as it stands in the file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/lint_file.h"
#include "config/config.h"
#include "config/config_text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define SHOWN_BINARY 10 /* lines with bytes that are no text */

struct reader {
	struct lint_file *file;
	unsigned binary;          /* lines with bytes that are no text */
	char section[JUDGE_SIZE]; /* the one that entries belong to now */
	bool section_bad;         /* it makes no sense, and so do they */
};

static int out_of_memory(struct error *err)
{
	return error_sys(err, ENOMEM, "cannot check the lines of a file");
}

/* --- from bytes to pieces ----------------------------------------------------------------- */

/* Without its end. */
static size_t line_length(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return (size_t)((newline ? newline : end) - at);
}

/*
 * Joins one more line to the text. Blanks go first, then it is seen whether there is a backslash:
 * those before it stay.
 */
static void join(struct piece *piece, const char *line, size_t size)
{
	char *end = piece->text + piece->keep + size;

	memcpy(piece->text + piece->keep, line, size);
	while (end > piece->text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	piece->continued = end > piece->text && end[-1] == '\\';
	piece->keep = piece->continued ? (size_t)(end - piece->text) - 1 : 0;
}

/* --- pieces that lose something ------------------------------------------------------------ */

/* Whether the piece is text. Each line is told of once. */
static bool check_bytes(struct reader *reader, const struct piece *piece)
{
	unsigned line = piece->first, told = 0;

	for (size_t i = 0; i < piece->size; i++) {
		unsigned char byte = (unsigned char)piece->raw[i];

		line += byte == '\n';
		if (told == line)
			continue;
		if (byte == '\r' && (i + 1 == piece->size || piece->raw[i + 1] != '\n')) {
			told = line;
			findings_add(
				reader->file->findings, FINDING_ERROR, line,
				"has a carriage return that ends no line; save it with Unix line endings");
		}
		if (config_text_allows(byte))
			continue;
		told = line;
		if (++reader->binary <= SHOWN_BINARY)
			findings_add(reader->file->findings, FINDING_ERROR, line,
				     "has a byte 0x%02x; this is not a text file", byte);
	}
	return !told;
}

/*
 * A backslash at the end of a comment makes a comment of the next line too: then the piece is to
 * iniparser what it is without that line.
 */
static int check_swallowed(const struct reader *reader, const struct piece *whole,
			   const struct verdict *verdict, struct error *err)
{
	const char *at = whole->raw, *end = whole->raw + whole->size, *next;
	struct piece part = {.text = malloc(whole->size + 1)};
	int result = part.text ? 0 : out_of_memory(err);

	for (unsigned i = 1; i < whole->lines && !result; i++) {
		size_t size = line_length(at, end);
		struct verdict before;

		join(&part, at, size);
		part.text[part.keep] = '\n';
		result = judge_line(&reader->file->judge, part.text, part.keep + 1, &before, err);
		at += size + 1;
		next = at + strspn(at, " \t\r\v\f");
		/* A blank line, a lone backslash and a comment lose nothing. */
		if (result || strchr("\n\\;#", *next) || before.kind != verdict->kind ||
		    strcmp(before.name, verdict->name) || strcmp(before.value, verdict->value))
			continue;
		/* Behind a comment nobody can have meant it, and run refuses it: config_text.c. */
		findings_add(reader->file->findings,
			     strpbrk(part.text, ";#") ? FINDING_ERROR : FINDING_WARNING,
			     whole->first + i,
			     "has no effect: it continues line %u, which ends with a backslash",
			     whole->first + i - 1);
		break;
	}
	free(part.text);
	return result;
}

/* --- items -------------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct lint_item *add_item(struct lint_file *file, unsigned line, const char *section,
				  const char *key, const char *spelled, const char *value)
{
	struct lint_item *item;

	if (file->count == file->room) {
		size_t room = file->room ? 2 * file->room : 64;
		struct lint_item *items = realloc(file->items, room * sizeof(*items));

		if (!items)
			return NULL;
		file->items = items;
		file->room = room;
	}
	item = &file->items[file->count++];
	*item = (struct lint_item){.line = line};
	if (asprintf(&item->name, "%s%s%s", section, key ? ":" : "", key ? key : "") < 0)
		item->name = NULL;
	item->section = strdup(section);
	item->spelled = strdup(spelled);
	item->key = key && item->name ? item->name + strlen(section) + 1 : NULL;
	item->value = value ? strdup(value) : NULL;
	return item->name && item->section && item->spelled && !item->key == !key &&
			       !item->value == !value
		       ? item
		       : NULL;
}

void lint_free(struct lint_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->items[i].name);
		free(file->items[i].section);
		free(file->items[i].spelled);
		free(file->items[i].value);
	}
	free(file->items);
}

/* --- from pieces to items ------------------------------------------------------------------ */

/*
 * After a line that was meant as a section but is none: what follows is judged as if it were one,
 * if it is clear which, so that one mistake does not hide or make others.
 */
static void resume_section(struct reader *reader, const char *text)
{
	struct error ignored;

	lint_section_name(reader->section, text);
	reader->section_bad = config_check_item(reader->section, NULL, &ignored);
}

static void resume_if_section(struct reader *reader, const struct piece *piece)
{
	if (piece->text[strspn(piece->text, " \t\r\v\f")] == '[')
		resume_section(reader, piece->text);
}

/* Adds the section or entry that the verdict speaks of. -1: no memory. */
static int add(struct reader *reader, const struct piece *piece, const struct verdict *verdict)
{
	struct findings *findings = reader->file->findings;
	bool is_entry = verdict->kind == JUDGE_ENTRY;
	char spelled[JUDGE_SIZE];
	struct lint_item *item;
	struct error reason;

	lint_spelling(spelled, piece, verdict);
	if (!is_entry)
		strcpy(reader->section, verdict->name);
	item = add_item(reader->file, piece->first, reader->section,
			is_entry ? verdict->name : NULL, spelled, is_entry ? verdict->value : NULL);
	if (!item)
		return -1;
	item->bad = true;
	if (is_entry && lint_is_false_section(verdict->name)) {
		findings_add(
			findings, FINDING_ERROR, piece->first,
			"not a section but a key, '%s', to iniparser: nothing can follow the ] "
			"of a section",
			verdict->name);
		resume_section(reader, verdict->name);
		return 0;
	}
	if (is_entry) {
		lint_entry(findings, piece, verdict);
		if (reader->section_bad)
			return 0;
	}
	item->bad = config_check_item(item->name, item->value, &reason);
	if (item->bad)
		findings_add(findings, FINDING_ERROR, piece->first, "%s", reason.text);
	if (!is_entry) {
		reader->section_bad = item->bad;
		lint_section(findings, piece);
	}
	return 0;
}

static int take_piece(struct reader *reader, const struct piece *piece, struct error *err)
{
	struct findings *findings = reader->file->findings;
	struct verdict verdict;
	int result = 0;

	if (!check_bytes(reader, piece))
		return 0;
	if (judge_line(&reader->file->judge, piece->raw, piece->size, &verdict, err))
		return -1;
	switch (verdict.kind) {
	case JUDGE_NOTHING:
		lint_nothing(findings, piece);
		resume_if_section(reader, piece);
		break;
	case JUDGE_SECTION:
	case JUDGE_ENTRY:
		result = add(reader, piece, &verdict);
		break;
	case JUDGE_BAD:
		lint_bad(findings, piece);
		resume_if_section(reader, piece);
		break;
	case JUDGE_TOO_LONG:
		lint_too_long(findings, piece);
		break;
	}
	return result ? out_of_memory(err) : check_swallowed(reader, piece, &verdict, err);
}

int lint_lines(struct lint_file *file, struct error *err)
{
	const char *at = file->content, *end = file->content + file->size;
	struct reader reader = {.file = file};
	struct piece piece = {.text = malloc(file->size + 1)};
	unsigned line = 1;
	int result = piece.text ? 0 : out_of_memory(err);

	if (file->size >= 3 && !memcmp(file->content, BYTE_ORDER_MARK, 3)) {
		findings_add(file->findings, FINDING_ERROR, 1,
			     "starts with a byte order mark; save it as plain UTF-8");
		at += 3;
	}
	while (at < end && !result) {
		piece = (struct piece){.first = line, .raw = at, .text = piece.text};
		do {
			size_t size = line_length(at, end);

			line++;
			join(&piece, at, size);
			at += size;
			at += at < end;
		} while (piece.continued && at < end);
		piece.lines = line - piece.first;
		piece.size = (size_t)(at - piece.raw);
		result = take_piece(&reader, &piece, err);
	}
	if (reader.binary > SHOWN_BINARY)
		findings_add(file->findings, FINDING_ERROR, 0, "%u more lines have such bytes",
			     reader.binary - SHOWN_BINARY);
	free(piece.text);
	return result;
}
