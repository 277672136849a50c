/*
 * judge - what iniparser makes of a piece of a config file, asked of iniparser itself, so that
 * `check` has no notion of its own of what an INI file is.
 *
 *     judge_open(&judge, &err);
 *     judge_line(&judge, bytes, size, &verdict, &err);     any number of times
 *     judge_close(&judge);
 */
#ifndef GROUPLOCK_JUDGE_H
#define GROUPLOCK_JUDGE_H

#include <stddef.h>

#include "base/error.h"
#include "base/memfile.h"

struct judge {
	struct memfile file;
};

enum judge_kind {
	JUDGE_NOTHING, /* a comment, a blank line, or what iniparser passes over */
	JUDGE_SECTION,
	JUDGE_ENTRY,
	JUDGE_BAD,      /* a syntax error */
	JUDGE_TOO_LONG, /* and iniparser would not read on */
};

#define JUDGE_SIZE 1025 /* iniparser's own limit */

struct verdict {
	enum judge_kind kind;
	char name[JUDGE_SIZE];  /* of the section, or the key, folded */
	char value[JUDGE_SIZE]; /* of an entry */
};

/* -1: iniparser cannot be asked here, for want of /proc. */
int judge_open(struct judge *judge, struct error *err);
void judge_close(struct judge *judge);

/* About one line with those that continue it, each with its end. -1: it could not be asked. */
int judge_line(const struct judge *judge, const char *bytes, size_t size, struct verdict *verdict,
	       struct error *err);

#endif
