/*
 * waitset - sleep until one of several files can be locked, a deadline comes, or the terminal
 * asks the process to stop.
 *
 * flock(2) waits for one file and takes no timeout. A file that is alone in the set is waited for by
 * the owner itself, called back by a timer (timed_flock.h). Of several each has a small thread that
 * does nothing but block in flock(); they are started, heard and ended by the one thread that owns
 * the waitset:
 *
 *     waitset_open(&ws, &err);
 *     waitset_add(&ws, fd, LOCK_SH, key);              any number of times
 *     while (waitset_wait(&ws, deadline, &event) ...)  each lock obtained is reported once
 *     waitset_clear(&ws);                              no thread is left
 *     waitset_close(&ws);
 *
 * Who blocks is woken by nobody but the kernel: when the holder ends, the lock is granted in the
 * kernel (fs/locks.c) and only the waiter of this file wakes.
 */
#ifndef GROUPLOCK_WAITSET_H
#define GROUPLOCK_WAITSET_H

#include <signal.h>
#include <stdint.h>

#include "base/error.h"
#include "lock/timed_flock.h"

struct waitset_entry;

struct waitset {
	int eventfd;                   /* a thread writes it when its flock() has returned */
	int signalfd;                  /* SIGTSTP, unless the caller ignores or blocks it */
	struct sigaction wake_was;     /* what SIGURG did before */
	struct waitset_entry *entries; /* files waited for, and those not reported yet */
	struct timed_flock timed;      /* for a file that is alone */
	bool has_timed;                /* it is open */
};

enum waitset_kind {
	WAITSET_LOCKED, /* the file of `key` is locked, on the fd given to waitset_add() */
	WAITSET_FAILED, /* the file of `key` cannot be locked: errno value `errnum` */
	WAITSET_STOP,   /* SIGTSTP has arrived, and is pending: it is the caller's to let it act */
	WAITSET_DEADLINE, /* nothing happened until then */
};

struct waitset_event {
	enum waitset_kind kind;
	int key;
	int errnum;
};

/*
 * Until waitset_close() SIGURG has a handler that does nothing (it is how threads are called
 * back from flock()), and, if `stoppable`, SIGTSTP is looked for at a descriptor, or has a handler:
 * the caller must have it blocked.
 */
int waitset_open(struct waitset *ws, int stoppable, struct error *err);
void waitset_close(struct waitset *ws);

/*
 * Waits for flock(fd, operation) from now on, or, if it is alone, while waitset_wait() sleeps. `fd`
 * stays the caller's and must stay open until the lock is reported or waitset_clear() has returned.
 * -1: neither a timer nor a thread could be had.
 */
int waitset_add(struct waitset *ws, int fd, int operation, int key);

/* Blocks until something happened or the clock is at `deadline` (clock_now() nanoseconds). */
void waitset_wait(struct waitset *ws, int64_t deadline, struct waitset_event *event);

/*
 * Ends all waits. A lock that was obtained but not reported stays on its fd: whoever clears,
 * closes or unlocks the files that it had added.
 */
void waitset_clear(struct waitset *ws);

#endif
