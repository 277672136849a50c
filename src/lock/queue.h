/*
 * queue - the tickets of the waiters: who waits, in which order.
 *
 * I2  Ticket numbers are given out under the gate, ascending. A ticket lives exactly while its
 *     file is locked exclusively; it dies with its process and never revives.
 * I3  A waiter is head iff no ticket with a lower number lives.
 * I6  Every look at a ticket happens under the gate.
 * I7  Each waiter sleeps in flock(LOCK_SH) on the nearest live ticket before its own, and on
 *     nothing else, so a release wakes one process and not all of them.
 *
 * A dead ticket's file is litter; whoever meets it under the gate removes it.
 */
#ifndef GROUPLOCK_QUEUE_H
#define GROUPLOCK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "lock/gate.h"
#include "lock/record.h"

struct ticket {
	uint64_t number;
	int fd; /* locked exclusively while the ticket lives; -1: no ticket */
};

/* Under the gate: whether any ticket lives. Advances `first` over the dead ones. */
int queue_is_empty(struct gate *gate, bool *empty, struct error *err);

/*
 * Under the gate: opens the first live ticket, the head's; *fd is the caller's to close, or -1 if
 * no ticket lives. Advances `first` as queue_is_empty() does.
 */
int queue_first(struct gate *gate, int *fd, struct error *err);

/*
 * Under the gate: calls `see` for each live ticket, first to last, with its record or NULL if it
 * has no readable one. A visit that returns non-zero ends it, and is returned; -1 with a reason.
 */
typedef int queue_see(void *arg, const struct record *record);
int queue_each(struct gate *gate, queue_see *see, void *arg, struct error *err);

/* Under the gate: takes the next ticket and writes the record into it. */
int queue_enter(struct gate *gate, struct ticket *ticket, const struct record_text *text,
		struct error *err);

/*
 * Under the gate: opens the nearest live ticket before `ticket`. *fd is the caller's, to wait
 * for and close, or -1 if there is none: then `ticket` is the head.
 */
int queue_before(struct gate *gate, const struct ticket *ticket, int *fd, struct error *err);

/*
 * Under the gate: a waiter knows that its ticket lives, so counters that deny it are an old copy,
 * put back, and deny others too: counts anew.
 */
int queue_heal(struct gate *gate, const struct ticket *ticket, struct error *err);

/* Whether the ticket's file is still where all look for it: who removes it makes two heads. */
bool queue_is_intact(const struct statedir *sd, const struct ticket *ticket);

/*
 * Under the gate, by the head that holds its slots now: takes the ticket out of the queue. It lives
 * on until queue_drop(), to be called after the gate is left: the next waiter wakes by it.
 */
int queue_advance(struct gate *gate, const struct ticket *ticket, struct error *err);

/* Removes the ticket's file, if it is still ours, and gives the place up. Needs no gate. */
void queue_drop(const struct statedir *sd, struct ticket *ticket);

/* The place in the queue by the counters: 1 is the head. Counts the dead between, so never too low. */
uint64_t queue_place(const struct gate_counters *counters, const struct ticket *ticket);

/* The file name of ticket `number`. */
#define QUEUE_NAME_SIZE 32
void queue_name(char out[QUEUE_NAME_SIZE], uint64_t number);

#endif
