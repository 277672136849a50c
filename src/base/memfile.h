/*
 * memfile - a file in memory that has a path, for iniparser, which reads from paths only.
 */
#ifndef GROUPLOCK_MEMFILE_H
#define GROUPLOCK_MEMFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct memfile {
	int fd;
	char path[32]; /* below /proc */
};

enum memfile_result {
	MEMFILE_OK,
	MEMFILE_UNSUPPORTED, /* there are no such files here */
	MEMFILE_ERROR,
};

/* An empty file. After another result than OK there is nothing to close; err says why. */
enum memfile_result memfile_open(struct memfile *file, struct error *err);
void memfile_close(struct memfile *file);

/* Whether the path can be opened: not without /proc. */
bool memfile_is_readable(const struct memfile *file);

/* 0, or -1 with a reason. */
int memfile_clear(const struct memfile *file, struct error *err);
int memfile_append(const struct memfile *file, const char *bytes, size_t size, struct error *err);

#endif
