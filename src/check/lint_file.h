/*
 * lint_file - a config file while lint looks at it: what lint.c is made of. Private to it.
 *
 *     lint_lines()   lint_lines.c  reads line by line: findings about single lines, and items
 *     lint_rules()   lint_rules.c  findings about how items go together
 *
 * lint_text serves the first of them.
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
	char *key;     /* ... the other; NULL: a section's head */
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

#endif
