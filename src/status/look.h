/*
 * report_look - one lock seen under its gate: what report.c is made of. Private to it.
 */
#ifndef GROUPLOCK_REPORT_LOOK_H
#define GROUPLOCK_REPORT_LOOK_H

#include <signal.h>
#include <stdbool.h>

#include "base/proc.h"
#include "config/config.h"
#include "lock/lockfile.h"
#include "lock/statedir.h"
#include "status/report.h"

/*
 * report_gate.c: the gate of somebody who only looks. It is opened to be read and never created;
 * `names` tells whether it is there.
 *
 * Held exclusively where that can be had, since several lookers that share it one after the other
 * could keep everybody else out for ever. NFS has exclusive locks for writers only: there it is
 * shared. While it is held no signal that stops can stop this process, and with it all others.
 */
struct report_gate {
	int fd;
	sigset_t mask_was;
};

/* OK: entered. MISSING: there is no gate. BUSY: somebody keeps it, and err says who. Or ERROR. */
enum lockfile_result report_enter_gate(struct report_gate *gate, const struct statedir *sd,
				       struct error *err);
void report_leave_gate(struct report_gate *gate);

/* One look at a lock. */
struct report_probe {
	struct report_lock *lock;
	const struct slotset *set; /* NULL: the config has no such lock */
	struct statedir sd;        /* fd -1: there is no directory */
	struct names files;        /* of the directory, sorted */
};

/* report_probe.c, under the gate: makes the rows of all slots and waiters, as they are now. */
int report_probe(const struct report_probe *look, struct error *err);

/*
 * report_look.c: fills the rows of lock->group, lock->lock anew; until then they are what the last
 * look saw (or nothing). `set` are the slots that the config gives it, NULL: none. Returns whether
 * there are doubts, which another look, a moment later, may remove.
 */
bool report_look(struct report_lock *lock, const char *directory, const struct slotset *set,
		 const struct proc_identity *self);

/* Frees the rows. */
void report_clear(struct report_lock *lock);

/* What there may be to look at. */
struct report_inventory {
	struct names groups; /* that the config names or the directory has */
	struct names locks;  /* of the config in its order, then those only the directory has */
	struct names
		leftover;   /* "group/lock": directories of locks that the config does not have */
	unsigned in_config; /* how many of `locks` the config has */
};

/*
 * report_inventory.c: takes the inventory, and is content if all that the query asks for is in
 * it. `problem` is why a part of the directory is not, or empty. Free with
 * report_free_inventory(), whatever came out.
 */
int report_take_inventory(struct report_inventory *inventory, const struct report_query *query,
			  struct error *problem, struct error *err);
void report_free_inventory(struct report_inventory *inventory);

/* report_holders.c: looks for the processes that hold what is leaked, or has no record. */
void report_find_holders(struct report *report);

#endif
