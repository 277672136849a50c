/*
 * glob - what can be told of shell patterns without a name to match: whether one leaves anything
 * to another that comes after it.
 *
 * A pattern is what fnmatch(3) takes without flags in the C locale. Names are those that
 * filename_encode() takes, folded: no slash, no control character, no capital letter, not empty.
 */
#ifndef GROUPLOCK_GLOB_H
#define GROUPLOCK_GLOB_H

#include <stdbool.h>

struct glob;

/* Reads a pattern. NULL: no memory, brackets or a backslash that do not end, or half a [:class:]. */
struct glob *glob_compile(const char *pattern);
void glob_free(struct glob *glob);

/* Whether there is no name that the pattern matches. */
bool glob_is_void(const struct glob *glob);

/*
 * Whether `wide` matches every name that `narrow` matches. Exact, but for patterns so twisted that
 * it would take too long to find out: then false.
 */
bool glob_covers(const struct glob *wide, const struct glob *narrow);

#endif
