/*
 * walk - all locks of all groups that a directory knows.
 */
#ifndef GROUPLOCK_WALK_H
#define GROUPLOCK_WALK_H

#include <dirent.h>

#include "base/error.h"

/*
 * Calls `visit` with the names, as people write them, of each DIR/GROUP/LOCK, in the order of
 * names. What grouplock never made is passed over; a directory that is not there is empty. For a
 * group whose directory cannot be read, `lock` is NULL and err says why; the others are visited all
 * the same. Returns -1 with a reason if DIR itself cannot be read.
 */
typedef void walk_visit(void *arg, const char *group, const char *lock);
int walk_locks(const char *dir, walk_visit *visit, void *arg, struct error *err);

/* Calls `visit` with the name of each slot file in DIR/GROUP/LOCK, open as `fd`. */
typedef void walk_slot(void *arg, const char *file);
int walk_slots(int fd, walk_slot *visit, void *arg, struct error *err);

/*
 * An open directory and its entries, in the order of names, but for those that begin with a dot; fd -1
 * and no entries for one that is not there, or is none. Close with walk_close(), whatever came out.
 * -1: errno says why it cannot be read.
 */
struct walk_listing {
	int fd, count;
	struct dirent **entries;
};
int walk_open(struct walk_listing *listing, int parent, const char *name);
void walk_close(struct walk_listing *listing);

#endif
