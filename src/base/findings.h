/*
 * findings - what was looked at and found to be good, doubtful or bad, in words for a person.
 *
 * Whoever looks adds, in any order, and says what to do about it; a command prints. A finding is
 * one line of text, without a full stop.
 */
#ifndef GROUPLOCK_FINDINGS_H
#define GROUPLOCK_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR, FINDING_LEVELS };

struct finding {
	enum finding_level level;
	unsigned line; /* of the file that is looked at; 0: about no line of it */
	char *text;    /* control characters are shown escaped */
};

/*
 * All zero: an empty list, kept by line; those about no line come last, those of the same line stay
 * in the order in which they were added. With `hear`, findings are not kept but handed to it as they
 * come; the text is valid during the call only.
 */
struct findings {
	struct finding *list;
	size_t count, room;
	size_t levels[FINDING_LEVELS]; /* how many there were of each */
	void (*hear)(void *arg, const struct finding *finding);
	void *arg;
};

/* Without memory for the text the finding is counted and its text lost: bad never becomes good. */
void findings_add(struct findings *findings, enum finding_level level, unsigned line,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

void findings_free(struct findings *findings);

/* "ok", "warning" or "error" */
const char *finding_word(enum finding_level level);

#endif
