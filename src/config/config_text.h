/*
 * config_text - the bytes of a groups.ini, before iniparser sees them.
 *
 * Reads the file, refuses what iniparser would skip, misread or lose, and can leave out the
 * entries of [workers] that a lookup has no need of: iniparser searches all keys for each key
 * that it reads, and a machine room's file has thousands.
 */
#ifndef GROUPLOCK_CONFIG_TEXT_H
#define GROUPLOCK_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

struct config_text {
	const char *path; /* the caller's */
	char *bytes;      /* with a NUL behind them. Owned. */
	size_t size;
	struct stat identity; /* as the file was before it was read */
};

/* Reads the file if it can be a config at all; free with config_text_free(), whatever came of it. */
int config_text_read(struct config_text *text, const char *path, struct error *err);
void config_text_free(struct config_text *text);

/* Whether the byte may stand in the file. */
bool config_text_allows(unsigned char byte);

/* Refuses, with the line, what iniparser would not take for what it looks like. */
int config_text_check(const struct config_text *text, struct error *err);

/*
 * Makes comments of lines of a text that was checked: those "NAME = GROUP" of [workers] of which it
 * is certain that iniparser takes them for that, that config_check_item() takes them too, and that
 * they say nothing about `worker` (folded; NULL: about nobody). A line in doubt stays.
 */
void config_text_leave_out(struct config_text *text, const char *worker);

#endif
