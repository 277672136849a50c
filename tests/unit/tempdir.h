/*
 * tempdir - a directory of its own for every test, which is the working directory while it runs.
 *
 *     TestSuite(name, .init = tempdir_make, .fini = tempdir_remove);
 */
#ifndef GROUPLOCK_TESTS_TEMPDIR_H
#define GROUPLOCK_TESTS_TEMPDIR_H

#include <stddef.h>

#include "lock/statedir.h"

extern char tempdir[32]; /* its absolute path */

void tempdir_make(void);
void tempdir_remove(void);

/* Writes a file as a whole; what was there before is overwritten in place. */
void tempdir_write(const char *name, const void *bytes, size_t size);
void tempdir_write_text(const char *name, const char *text);

/* Creates GROUP "hw1" and LOCK "default" below it and opens them. */
void tempdir_open_lock(struct statedir *sd);

/*
 * Opens, or creates, a file in sd and locks it with `operation`, on a description of its own: to
 * all others it looks like another process that has it. Close the fd to end it.
 */
int tempdir_hold(const struct statedir *sd, const char *name, int operation);

/* Whether somebody's lock on the file of that name excludes us; false if there is no such file. */
bool tempdir_is_held(const struct statedir *sd, const char *name);

/* Whether there is anything of that name in sd. */
bool tempdir_has(const struct statedir *sd, const char *name);

#endif
