/*
 * suggest - the known name that was probably meant by an unknown one, for messages.
 */
#ifndef GROUPLOCK_SUGGEST_H
#define GROUPLOCK_SUGGEST_H

#include <stdbool.h>

#include "base/error.h"

/* Longer words have no typos that can be told from other words. */
#define SUGGEST_MAX 64

/* A search: begin, offer each name there is, take the best. The word is the caller's. */
struct suggest {
	const char *word;
	char best[SUGGEST_MAX + 1]; /* "": nothing is near enough */
	unsigned distance;
};

void suggest_begin(struct suggest *suggest, const char *word);
void suggest_offer(struct suggest *suggest, const char *name);

/* Appends "; did you mean 'NAME'?" to the error if there is one. Always returns -1. */
int suggest_append(const struct suggest *suggest, struct error *err);

/*
 * How many letters have to be put in, left out, replaced or swapped with their neighbour to make
 * one of the other, ASCII letters without case. Anything over SUGGEST_MAX is SUGGEST_MAX.
 */
unsigned suggest_distance(const char *a, const char *b);

/* Whether they differ in digits alone, as hw1 and hw2 do: two names rather than a typo. */
bool suggest_is_numbering(const char *a, const char *b);

#endif
