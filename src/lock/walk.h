/*
 * walk - all locks of all groups that a directory knows.
 */
#ifndef GROUPLOCK_WALK_H
#define GROUPLOCK_WALK_H

#include "base/error.h"
#include "base/names.h"

/*
 * Calls `visit` with the names, as people write them, of each DIR/GROUP/LOCK, in the order of
 * names. What grouplock never made is passed over; a directory that is not there is empty. For a
 * group whose directory cannot be read, `lock` is NULL and err says why; the others are visited all
 * the same. Returns -1 with a reason if DIR itself cannot be read.
 */
typedef void walk_visit(void *arg, const char *group, const char *lock);
int walk_locks(const char *dir, walk_visit *visit, void *arg, struct error *err);

/*
 * Lists, sorted, what there is in directory `name` of `parent`, whose path for the message is `path`.
 * *fd, of that directory, is the caller's to close. For one that is not there, or is none, *fd is -1
 * and nothing is listed.
 */
int walk_list(struct names *names, int *fd, int parent, const char *name, const char *path,
	      struct error *err);

#endif
