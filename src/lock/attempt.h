/*
 * attempt - one request for one lock under way: what acquire.c is made of. Private to it.
 *
 *     newcomer --(gate: the queue is empty, slots admissible)------------------------> holder
 *        |                                                                               ^
 *        +--(gate: takes a ticket)--> in queue --(no live ticket before it)--> head -----+
 *                                             (gate: counts once more, leaves the queue)
 *
 * I3  Only the head, or a newcomer that finds no live ticket under the gate, takes slots.
 * I4  Slots are taken before the ticket is dropped: a newcomer always sees one or the other.
 * I6  Looks without waiting happen under the gate; waits are blocking flock()s outside it.
 * I8  Death at any step closes all fds, and that is all that has to happen.
 * I9  A stop from the terminal is caught, and leaves the queue first. Nothing that can stop the
 *     process from inside is let through while the gate is held.
 *
 * Every function that moves an attempt on returns a `step`; anything but STEP_ON ends it. README.md
 * has the whole protocol, with these functions' names.
 */
#ifndef GROUPLOCK_ATTEMPT_H
#define GROUPLOCK_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lock/acquire.h"
#include "lock/gate.h"
#include "lock/queue.h"
#include "lock/slots.h"
#include "lock/waitset.h"

enum step {
	STEP_ON,     /* done, go on */
	STEP_NESTED, /* the caller's tree holds it already */
	STEP_AGAIN,  /* our directory or ticket was removed: from the start */
	STEP_STOP,   /* SIGTSTP */
	STEP_ENDING, /* slots of commands that have ended are about to be free */
	STEP_BUSY,   /* job->nonblock, and it could not be had */
	STEP_TIMEOUT,
	STEP_ERROR, /* *err says why */
};

enum attempt_state {
	ATTEMPT_NEWCOMER, /* has neither slots nor a ticket */
	ATTEMPT_IN_QUEUE, /* has a ticket, and others may live before it */
	ATTEMPT_HEAD,     /* has the lowest ticket that lives, and collects slots */
	ATTEMPT_HOLDER,   /* has its slots; its ticket, if any, goes with queue_drop() */
};

/* What job->tell has heard, and what decides what it hears next. */
struct attempt_told {
	bool waits;         /* that this waits: when it has the slots it says so, too */
	bool gave_up;       /* that it gave up */
	bool config_broken; /* that the config cannot be read */
	bool other_limit;   /* that the last caller's limit was another one */
	bool outdated;      /* it moved up, or the group was closed, since the last report */
	bool too_brief;     /* the slots' commands have ended: no wait to speak of, so far */
	int64_t next_beat;  /* when the next heartbeat is due, while waiting */
	pid_t suspect;      /* a head that could have gone on and did not, at the last look; or 0 */
	uint64_t suspect_sleeps; /* proc_sleeps() of it then; 1 where it cannot be looked up */
};

struct attempt {
	struct acquire_job *job;
	const struct acquire_want *want;
	struct error *err;
	bool stoppable; /* SIGTSTP means something */
	enum attempt_state state;
	struct statedir sd;
	struct gate gate;     /* its fd is -1 while closed */
	struct ticket ticket; /* its fd is -1 while there is none */
	struct slots slots;
	struct slotset set;   /* what the config in force gives to the group */
	struct config *fresh; /* that config, as reread; NULL: still job->config */
	struct waitset waits;
	bool waiting;        /* waits is open */
	int64_t began;       /* when the lock was asked for */
	int64_t patience;    /* until when one that must not block waits for a slot's end */
	unsigned own;        /* slots that the caller's tree holds, where job->adds_to_held */
	bool impossible;     /* more was asked for than can ever be had, at the last survey */
	struct grant *grant; /* what was got */
	struct attempt_told told;
};

/* attempt.c: from newcomer to holder; the ticket is still held then, and goes with queue_drop(). */
enum step attempt_run(struct attempt *at);

/*
 * attempt_nested.c, under the gate: STEP_NESTED with at->grant made if the caller's tree holds
 * enough; STEP_ON if it holds nothing, or, for a job that adds to it, at->own slots.
 */
enum step attempt_pass_nested(struct attempt *at);

/* The same, before entering the queue: STEP_ERROR if a waiter there waits for what at->own holds. */
enum step attempt_check_deadlock(struct attempt *at);

/*
 * The same: STEP_ERROR if the slots that are not held by this process and its ancestors are too few. Those wait
 * for this process, whether it has their GROUPLOCK_HELD or not. Claims that are bound to an ancestor by --pid do
 * not count: they are held for whatever an agent runs, and others can release them.
 */
enum step attempt_check_ancestors(struct attempt *at);

/* attempt_wait.c: the places where an attempt sleeps. */

/* Enters the gate, waiting for it if need be. No other wait may be under way. */
enum step attempt_enter_gate(struct attempt *at);

/* Leaves it and passes `step` on, unless the counters cannot be written. */
enum step attempt_leave_gate(struct attempt *at, enum step step);

/* Makes at->waits ready, once: from then on heartbeats are due. */
enum step attempt_open_waits(struct attempt *at);

/*
 * Blocks in flock(fd, LOCK_SH) on a ticket or slot of another, called `name` in messages, until it
 * is free or the clock is at `deadline` (STEP_TIMEOUT). Closes fd.
 */
enum step attempt_wait_for_other(struct attempt *at, int fd, const char *name, int64_t deadline);

/*
 * Sleeps until one of at->waits ends (event LOCKED or FAILED) or the clock is at `until` (event
 * DEADLINE) or at `deadline` (STEP_TIMEOUT), with a heartbeat now and then: `note`, or the state
 * of the wait if that is NULL.
 */
enum step attempt_sleep(struct attempt *at, int64_t until, int64_t deadline, const char *note,
			struct waitset_event *event);

/* How long to sleep before another look where neither timer nor thread can be had to sleep in flock(). */
#define ATTEMPT_PAUSE (CLOCK_SECOND / 20)

/* attempt_limit.c: how many slots there are, and how many of them this is about. */

/* The number of slots asked for under the limit of now, at least 1. */
unsigned attempt_wanted(const struct attempt *at);

/* A limit of 0: nothing is given out. */
bool attempt_closed(const struct attempt *at);

/* STEP_ERROR if more is asked for than there ever is. */
enum step attempt_check_possible(struct attempt *at);

/*
 * Rereads the config if its file changed. True if the slots are others now; what was MINE is then
 * given back, which nobody else can take while this is the head. No wait for a slot may be under
 * way. A config that cannot be read leaves the last good one in force, and is told once.
 */
bool attempt_limit_changed(struct attempt *at);

/* Whether the file changed at all: cheap, and safe while slots are waited for. */
bool attempt_config_changed(const struct attempt *at);

/* Under the gate, after a survey: writes limit and top into the counters. */
void attempt_use_limit(struct attempt *at);

/* Under the gate: tells if the last caller used another limit. */
void attempt_compare_limit(struct attempt *at);

/*
 * attempt_tell.c: reports to job->tell. `entered`: the gate is held. If it is not, the report
 * looks at the holders only if the gate can be had at once: to tell is not worth a wait.
 */
void attempt_tell(struct attempt *at, enum acquire_event event, const char *note, bool entered);

#endif
