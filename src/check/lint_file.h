/*
 * lint_file - a config file while lint looks at it: what lint.c is made of. Private to it.
 *
 *     lint_lines()   lint_lines.c  reads line by line: findings about single lines, and items
 *     lint_rules()   lint_rules.c  findings about how items go together
 *
 * lint_text.c serves the first of them.
 */
#ifndef GROUPLOCK_LINT_FILE_H
#define GROUPLOCK_LINT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"
#include "check/judge.h"

/* A section's head or an entry. */
struct lint_item {
	unsigned line;
	bool bad;      /* has an error of its own, and takes no part in what is said of others */
	char *name;    /* as iniparser calls it: "section" or "section:key", folded */
	char *section; /* the first part of it, and ... */
	char *key;     /* ... the other, within name; NULL: a section's head */
	char *spelled; /* the key, or the section, as the file has it; folded where that is unclear */
	char *value;   /* NULL: a section's head */
};

struct lint_file {
	const char *content;
	size_t size;
	struct judge judge;
	struct findings *findings;
	struct lint_item *items; /* in file order */
	size_t count, room;
};

/* -1: there is no memory, or iniparser cannot be asked; err says so. */
int lint_lines(struct lint_file *file, struct error *err);
int lint_rules(struct lint_file *file, struct error *err);

/* Frees the items. */
void lint_free(struct lint_file *file);

/* --- lint_text.c: what is wrong with one piece, whatever stands around it ------------------ */

/*
 * A piece of a config file: lines that are one to iniparser, since each but the last ends with a
 * backslash. That is the one thing about the form of the file that iniparser does not tell.
 */
struct piece {
	unsigned first, lines; /* the number of the first line, and how many there are */
	const char *raw;       /* the lines as they stand in the file, with their ends */
	size_t size;
	char *text;     /* joined, without the backslashes between and without blanks at the end */
	bool continued; /* the last line too ends with a backslash */
	size_t keep;    /* what stays of text when another line is joined */
};

/* For the verdicts that bear these names. JUDGE_NOTHING may be a comment, and then is fine. */
void lint_bad(struct findings *findings, const struct piece *piece);
void lint_too_long(struct findings *findings, const struct piece *piece);
void lint_nothing(struct findings *findings, const struct piece *piece);
void lint_section(struct findings *findings, const struct piece *piece);
void lint_entry(struct findings *findings, const struct piece *piece,
		const struct verdict *verdict);

/*
 * Whether the key of an entry was meant as a section. "[slots] ; x = 1" is an entry to iniparser,
 * since the line does not end with the ], and so is "[slots]hw1 = 1"; what follows would belong to
 * the section above. But "[ab]* = hw1" is a pattern.
 */
bool lint_is_false_section(const char *key);

/* The name, folded, of what stands between [ and ], or is all the rest where there is no ]. */
void lint_section_name(char name[JUDGE_SIZE], const char *text);

/* The name as the file has it, if that is plain to see; else as iniparser has it. */
void lint_spelling(char spelled[JUDGE_SIZE], const struct piece *piece,
		   const struct verdict *verdict);

#endif
