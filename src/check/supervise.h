/*
 * supervise - do what may hang in a child process, and never hang with it.
 *
 * A file system whose server is gone keeps a process in the kernel where only SIGKILL reaches it.
 * So the child does the work and reports through a socket, and the caller listens for so long.
 */
#ifndef GROUPLOCK_SUPERVISE_H
#define GROUPLOCK_SUPERVISE_H

#include "base/findings.h"

/* What the child has of its caller. POLLHUP at `fd` says that the caller has ended. */
struct supervise {
	int fd;
};

/* The child's part. What it adds to `findings`, about no line, arrives at the caller's. */
typedef void supervise_work(void *arg, const struct supervise *supervise,
			    struct findings *findings);

/* The child's word that it is at work and nothing hangs, for work that finds nothing for long. */
void supervise_pulse(const struct supervise *supervise);

/*
 * Runs `work` in a child and hears its findings as they come. The child has all signals blocked,
 * and goes on to its end if the caller is killed: it can clean up whatever happens here. A child
 * that says nothing for so many seconds is killed. That, or that it died before its work was done,
 * or that there is no child, is one more finding, about `path`.
 */
void supervise_run(supervise_work *work, void *arg, const char *path, int seconds,
		   struct findings *findings);

#endif
