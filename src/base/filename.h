/*
 * filename - names of groups, locks, workers and slots as names of files, and back.
 */
#ifndef GROUPLOCK_FILENAME_H
#define GROUPLOCK_FILENAME_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

/* Whether the byte stands for itself in a file name, though a dot does not in front. */
static inline bool filename_is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/*
 * The one place where a name becomes a file name: `prefix`, then the name with
 * A-Z a-z 0-9 . _ - as they are and other bytes, a leading dot included, as %XX. -1 with a reason
 * if the name is empty, "." or "..", has a slash or a control character, or is too long. `what`
 * names the kind of name in the message: "group", "lock" ...
 */
int filename_encode(char out[NAME_MAX + 1], const char *prefix, const char *what, const char *name,
		    struct error *err);

/* The way back: false if filename_encode() would not have made `file` of any name. */
bool filename_decode(char out[NAME_MAX + 1], const char *file);

#endif
