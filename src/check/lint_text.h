/*
 * lint_text - what is wrong with one piece that iniparser has judged, whatever stands around it.
 * Private to lint.
 */
#ifndef GROUPLOCK_LINT_TEXT_H
#define GROUPLOCK_LINT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"
#include "check/judge.h"

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
