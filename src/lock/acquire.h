/*
 * acquire - the protocol: get slots of one or several locks of a group, in a queue with others.
 *
 *     acquire(&job, &err)                  blocks, unless told not to
 *     ... job.grants[i] ...                the slots are held: grant.h
 *     acquire_release(&job)                gives everything back
 *
 * It knows nothing of commands to start and prints nothing: what a person may want to hear while
 * it waits goes to job.tell.
 */
#ifndef GROUPLOCK_ACQUIRE_H
#define GROUPLOCK_ACQUIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "lock/grant.h"
#include "lock/record.h"

#define ACQUIRE_MAX_LOCKS 64

/* What is asked for: `count` slots of `lock`, or all that its limit allows. */
struct acquire_want {
	const char *lock; /* folded */
	unsigned count;   /* at least 1, unless `all` */
	bool all;
};

enum acquire_result {
	ACQUIRE_OK,
	ACQUIRE_BUSY,    /* job.nonblock, and not all could be had at once */
	ACQUIRE_TIMEOUT, /* job.deadline came first */
	ACQUIRE_ERROR,   /* err says why */
};

enum acquire_event {
	ACQUIRE_WAITS,     /* took a place in the queue */
	ACQUIRE_FIRST,     /* became the head */
	ACQUIRE_HEARTBEAT, /* job.heartbeat went by */
	ACQUIRE_GOT,       /* has the slots, after a wait */
	ACQUIRE_GAVE_UP,   /* did not get them: BUSY or TIMEOUT follows */
	ACQUIRE_NOTE,      /* `note` is worth a line */
};

/* What there is to tell; only for the length of the call. */
struct acquire_report {
	enum acquire_event event;
	const char *group, *lock;
	const struct grant *grant;   /* with ACQUIRE_GOT; else NULL */
	unsigned limit;              /* as the config says now */
	unsigned held;               /* slots that others hold ... */
	unsigned holders;            /* ... and how many those are */
	uint64_t place;              /* in the queue, 1 = head, an upper bound; 0: not in it */
	int64_t waited;              /* nanoseconds since this lock was asked for, or all (began) */
	const struct record *holder; /* who has held longest; NULL: nobody or unknown */
	const struct record *stopped; /* the head, if it seems to be stopped; else NULL */
	const char *note;
};

struct acquire_job {
	const char *directory, *group;
	const struct config *config; /* for the limits; reread from its path when it changes */
	const char *held;            /* GROUPLOCK_HELD or NULL */
	bool adds_to_held;     /* what is held already does not satisfy: take more on top of it */
	struct record record;  /* who asks: kind and id are filled in here */
	enum record_kind kind; /* what the record says once the slots are held */
	char secret[RECORD_SECRET_SIZE];
	const struct acquire_want *wants;
	unsigned count; /* at most ACQUIRE_MAX_LOCKS, all of different names */
	struct grant *grants[ACQUIRE_MAX_LOCKS]; /* what was got of each; NULL at first */
	bool nonblock;
	int64_t began;     /* what ACQUIRE_GAVE_UP counts from; 0: when that lock was asked for */
	int64_t deadline;  /* clock_now() value for all locks together, CLOCK_NEVER for none */
	int64_t heartbeat; /* nanoseconds between two ACQUIRE_HEARTBEAT; CLOCK_NEVER: none */
	int gone_fd; /* the pidfd of record.bound: nobody waits for who has ended; 0, -1: none */
	void (*tell)(void *arg, const struct acquire_report *report);
	void *arg;
};

/*
 * Gets all that is wanted, lock after lock in the order of their names whatever the order given,
 * so that two jobs never wait for each other; or nothing: whatever the result is not ACQUIRE_OK,
 * nothing is held. Blocks. SIGTSTP, unless ignored or blocked, makes a waiter leave the queue,
 * stop, and stand at its end when continued. All fds that remain open are close-on-exec.
 */
enum acquire_result acquire(struct acquire_job *job, struct error *err);

/* Gives back what acquire() got. A second call is no harm. */
void acquire_release(struct acquire_job *job);

#endif
