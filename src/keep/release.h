/*
 * release - end claims: find the keeper that holds a slot and tell it to let go.
 *
 * A record says who the keeper is, and anybody in the group can write a record. So a signal is
 * sent only to a process that is a keeper by its name and has that very slot file open; and the
 * kernel refuses it unless that process is the caller's own (or the caller is root).
 */
#ifndef GROUPLOCK_RELEASE_H
#define GROUPLOCK_RELEASE_H

#include "base/error.h"
#include "base/proc.h"
#include "lock/record.h"
#include "lock/statedir.h"

enum release_result {
	RELEASE_DONE,    /* it held, and does no more */
	RELEASE_EARLIER, /* it was over before: *record says why */
	RELEASE_RUN,     /* a command of `run` has that id, and ends by itself */
	RELEASE_OTHER,   /* the slot shows another's record, or is not there */
	RELEASE_NOBODY,  /* the slot shows no record at all */
	RELEASE_FAILED,  /* err says why */
};

/*
 * Ends the claim of id `id` (a start of it is enough) on slot `file` of an open statedir. Blocks
 * until the keeper has ended, at most ten seconds, and ten more if its user has too many signals pending for
 * it to be told at once. *record becomes the slot's record.
 */
enum release_result release_slot(const struct statedir *sd, const char *file, const char *id,
				 const struct proc_identity *self, struct record *record,
				 struct error *err);

#endif
