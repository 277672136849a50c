/*
 * look - one lock seen under its gate, and which locks there are: what report.c is made of. Private
 * to it.
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
 * gate.c: the gate of somebody who only looks. It is opened to be read and never created;
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

/*
 * look.c: fills the rows of lock->group, lock->lock anew; until then they are what the last look saw
 * (or nothing). `set` are the slots that the config gives it, NULL: none.
 */
void report_look(struct report_lock *lock, const char *directory, const struct slotset *set,
		 const struct proc_identity *self);

/* Frees the rows. */
void report_clear(struct report_lock *lock);

/*
 * inventory.c: puts the locks to look at into an empty report, by the config, the directory and
 * what the query asks for; -1 if that is not all there. Without the directory (`exists`) there are
 * none. report->problem: why a part of the directory could not be listed, or empty.
 */
int report_list_locks(struct report *report, const struct report_query *query, bool exists,
		      struct error *err);

#endif
