/*
 * names - a list of names that grows.
 */
#ifndef GROUPLOCK_NAMES_H
#define GROUPLOCK_NAMES_H

#include <stdbool.h>

#include "base/error.h"

/* All zero: an empty list. The strings are its own; free with names_free(). */
struct names {
	char **list;
	unsigned count, room;
};

/* Appends a copy. -1: no memory. */
int names_add(struct names *names, const char *name);
void names_free(struct names *names);

bool names_contain(const struct names *names, const char *name);

/* Puts them into the order in which people count (hw2 before hw10) and drops what is there twice. */
void names_sort(struct names *names);

/* "a, b, c", cut to `size`. */
void names_join(const struct names *names, char *out, unsigned size);

/*
 * Appends what is in the directory that is open as `fd`, in no order: names of files of `type`
 * (DT_REG; DT_UNKNOWN: any, "." and ".." with them; readdir(3)), and of all whose file system does
 * not say what they are. `path` is for the message.
 */
int names_read(struct names *names, int fd, unsigned char type, const char *path,
	       struct error *err);

#endif
