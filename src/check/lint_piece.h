/*
 * lint_piece - a piece of a config file: lines that are one to iniparser, since each but the last
 * ends with a backslash. Private to lint.
 *
 * That is the one thing about the form of the file that iniparser does not tell, so this module is
 * the one that must know it.
 */
#ifndef GROUPLOCK_LINT_PIECE_H
#define GROUPLOCK_LINT_PIECE_H

#include <stdbool.h>
#include <stddef.h>

/* Begin with all zero; free `text` in the end. */
struct piece {
	unsigned first, lines; /* the number of the first line, and how many there are */
	const char *raw;       /* the lines as they stand in the file, with their ends */
	size_t size;
	char *text;     /* joined, without the backslashes between and without blanks at the end */
	size_t length;  /* of text */
	bool continued; /* the last line too ends with a backslash */
	size_t keep;    /* what stays of text when another line is joined */
	size_t room;
};

/* The next piece: lines from `at`, of which the first has number `first`. -1: no memory. */
int piece_read(struct piece *piece, unsigned first, const char *at, const char *end);

/* Joins one more line to the text. */
int piece_join(struct piece *piece, const char *line, size_t size);

/* The length of the line at `at`, without its end. */
size_t piece_line(const char *at, const char *end);

#endif
