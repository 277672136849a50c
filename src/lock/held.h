/*
 * held - what GROUPLOCK_HELD says that a calling process holds already, and whether it is true.
 *
 * A command that holds slots finds in its environment, for each of them,
 *
 *     GROUP/LOCK/slot.NAME=SECRET
 *
 * blank separated, names spelled as in the directory. A nested call passes for such a slot if it
 * is locked now and its record shows the id of that secret. The record shows a hash only, so who
 * reads it cannot forge the variable; who got the variable itself can.
 */
#ifndef GROUPLOCK_HELD_H
#define GROUPLOCK_HELD_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/names.h"
#include "base/proc.h"
#include "lock/gate.h"

#define HELD_VARIABLE "GROUPLOCK_HELD"

/* Calls `see` for each well-formed entry of the list, whether it is true or not. */
typedef void held_each(void *arg, const char *group, const char *lock, const char *file,
		       const char *secret);
void held_list(const char *list, held_each *each, void *arg);

/* Whether `list` (the variable's value, or NULL) claims a slot of this group's lock at all. */
bool held_mentions(const char *list, const char *group, const char *lock);

/*
 * Before anything is waited for, and so without the gate: whether held_check() may find that the list
 * claims a slot of that lock rightly, for all that the slots' records say. One that cannot be read says
 * nothing against it. Does not block.
 */
bool held_is_likely(const char *list, const char *directory, const char *group, const char *lock);

/*
 * Under the gate of that lock: adds to `held` the files ("slot.NAME") of its slots that the list
 * claims rightly, each once. -1 with a reason if a slot file cannot be looked at, or is held by nobody knows whom.
 */
int held_check(const char *list, const char *group, const char *lock, struct gate *gate,
	       const struct proc_identity *self, struct names *held, struct error *err);

/*
 * Appends an entry to the list in `out`, a malloc()ed string or NULL, in place of an older one of
 * the same slot: that can only be of a holder that is no more. -1: no memory.
 */
int held_append(char **out, const char *group, const char *lock, const char *file,
		const char *secret);

/* The bytes that an entry of that lock adds to a list at the least. */
size_t held_entry_min_size(const char *group, const char *lock);

#endif
