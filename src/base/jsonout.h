/*
 * jsonout - the values of grouplock's JSON: always valid, whatever bytes they come from.
 */
#ifndef GROUPLOCK_JSONOUT_H
#define GROUPLOCK_JSONOUT_H

#include <stdint.h>

#include <jansson.h>

/* New values, to be given to an object with json_object_set_new(); NULL: no memory. */

/* `bytes` as text, U+FFFD for what is no UTF-8; null for NULL. */
json_t *jsonout_text(const char *bytes);

/* Nanoseconds of the wall clock as ISO 8601 in UTC, "2026-11-24T03:51:37.123Z"; null for 0. */
json_t *jsonout_time(int64_t wall);

/* A length of time in seconds, to the millisecond; null if it is negative. */
json_t *jsonout_seconds(int64_t ns);

/* The document and a line's end, malloc()ed; `root` is used up. NULL: no memory. */
char *jsonout_print(json_t *root);

#endif
