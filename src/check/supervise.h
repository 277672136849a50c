/*
 * supervise - do what may hang in a child process, and never hang with it.
 *
 * A file system whose server is gone keeps a process in the kernel where only SIGKILL reaches it.
 * So the child does the work and reports through a pipe, and the caller listens for so long.
 */
#ifndef GROUPLOCK_SUPERVISE_H
#define GROUPLOCK_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/findings.h"

struct supervise;

/* The child's part. What it adds to `findings` arrives at the caller's. */
typedef void supervise_work(void *arg, struct supervise *supervise, struct findings *findings);

/*
 * The child's word that it is at work and nothing hangs, for work that finds nothing for long.
 * false: the caller has ended, and nobody listens any more.
 */
bool supervise_pulse(struct supervise *supervise);

enum supervise_result {
	SUPERVISE_DONE,
	SUPERVISE_SILENT, /* for `patience` nanoseconds; the child was killed */
	SUPERVISE_DIED,   /* before its work was done */
	SUPERVISE_ERROR,  /* no child; err says why */
};

/*
 * Runs `work` in a child and hears its findings as they come. The child has all signals blocked,
 * and goes on to its end if the caller is killed: it can clean up whatever happens here.
 */
enum supervise_result supervise_run(supervise_work *work, void *arg, struct findings *findings,
				    int64_t patience, struct error *err);

#endif
