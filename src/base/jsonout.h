/*
 * jsonout - the values of grouplock's JSON: always valid, whatever bytes they come from.
 */
#ifndef GROUPLOCK_JSONOUT_H
#define GROUPLOCK_JSONOUT_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* New values, to be given to jsonout_set() or jsonout_append(); NULL: no memory. */

/* `bytes` as text, U+FFFD for what is no UTF-8; null for NULL. */
json_t *jsonout_text(const char *bytes);

/* Nanoseconds of the wall clock as ISO 8601 in UTC, "2026-11-24T03:51:37.123Z"; null for 0. */
json_t *jsonout_time(int64_t wall);

/* A length of time in seconds, to the millisecond; null if it is negative. */
json_t *jsonout_seconds(int64_t ns);

/*
 * Gives `value`, which is used up, to an object or an array. Both may be NULL, for lack of memory;
 * then, and if there is none now, what was given to is freed and NULL, and so the whole document is
 * in the end: there is none that lacks something.
 */
void jsonout_set(json_t **object, const char *key, json_t *value);
void jsonout_append(json_t **array, json_t *value);

/* Writes the document and a line's end to `out`; `root` is used up. -1: no memory, or a NULL root. */
int jsonout_print(FILE *out, json_t *root);

#endif
