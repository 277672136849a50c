/*
 * proof - what a lock is worth in a directory, tried out with two processes and a file that is
 * removed again: that it excludes, that it makes wait, that it wakes, and that death frees it.
 */
#ifndef GROUPLOCK_PROOF_H
#define GROUPLOCK_PROOF_H

#include "base/findings.h"
#include "check/supervise.h"
#include "lock/statedir.h"

/* What the file is called. The name of no group begins so: a leading dot is always encoded. */
#define PROOF_PREFIX ".check-"

/*
 * Adds what it found about the directory `sd`, DIR itself. Waits no longer than PROOF_PATIENCE
 * seconds for anything that another process does, and gives a pulse or a finding at least as often;
 * but it may hang where the file system does, so call it under supervise_run(), which also keeps
 * signals away.
 */
#define PROOF_PATIENCE 10
void proof_of_locks(const struct statedir *sd, const struct supervise *supervise,
		    struct findings *findings);

#endif
