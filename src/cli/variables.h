/*
 * variables - the GROUPLOCK_* variables that a command, or the shell that claimed, finds.
 */
#ifndef GROUPLOCK_VARIABLES_H
#define GROUPLOCK_VARIABLES_H

#include <stdbool.h>

#include "base/error.h"
#include "lock/acquire.h"

/* Calls `set` for each variable, names and values being valid for the call; -1 stops it. */
typedef int variables_set(void *arg, const char *name, const char *value);
int variables_each(const struct acquire_job *job, variables_set *set, void *arg, struct error *err);

/* Whether two locks' names become one in the name of a variable. */
bool variables_collide(const char *a, const char *b);

/* Refuses two locks whose GROUPLOCK_SLOT_<LOCK> would be the same: one would hide the other's. */
int variables_check(const struct acquire_want *wants, unsigned count, struct error *err);

/* The labels of a grant's slots, blank separated, malloc()ed; NULL: no memory. */
char *variables_labels(const struct grant *grant);

/* The value of GROUPLOCK_HELD with what the job got added, malloc()ed or NULL; -1: no memory. */
int variables_held(const struct acquire_job *job, char **held);

/* Refuses a value of GROUPLOCK_HELD that is too long for an environment. */
int variables_check_held(size_t length, struct error *err);

#endif
