#include "check/lint_piece.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t piece_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return (size_t)((newline ? newline : end) - at);
}

/* Blanks go first, then it is seen whether there is a backslash: those before it stay. */
int piece_join(struct piece *piece, const char *line, size_t size)
{
	if (piece->keep + size + 1 > piece->room) {
		size_t room = 2 * (piece->keep + size + 1);
		char *text = realloc(piece->text, room);

		if (!text)
			return -1;
		piece->text = text;
		piece->room = room;
	}
	memcpy(piece->text + piece->keep, line, size);
	piece->length = piece->keep + size;
	while (piece->length && isspace((unsigned char)piece->text[piece->length - 1]))
		piece->length--;
	piece->text[piece->length] = '\0';
	piece->continued = piece->length && piece->text[piece->length - 1] == '\\';
	piece->keep = piece->continued ? piece->length - 1 : 0;
	return 0;
}

int piece_read(struct piece *piece, unsigned first, const char *at, const char *end)
{
	*piece =
		(struct piece){.first = first, .raw = at, .text = piece->text, .room = piece->room};
	do {
		size_t size = piece_line(at, end);

		piece->lines++;
		if (piece_join(piece, at, size))
			return -1;
		at += size;
		at += at < end;
	} while (piece->continued && at < end);
	piece->size = (size_t)(at - piece->raw);
	return 0;
}
