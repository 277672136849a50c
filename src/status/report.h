/*
 * report - what is held and who waits, for people and for monitoring.
 *
 *     report_gather(&report, &query, &err);      looks at every lock, and disturbs nobody
 *     report_table(out, &report, 0, false);      or report_json(), report_prometheus()
 *     report_free(&report);
 *
 * It only reads: nothing is created, removed or written, and read permission is enough. Each lock
 * is looked at under its gate (I6), so what is shown of one lock was so at one moment.
 */
#ifndef GROUPLOCK_REPORT_H
#define GROUPLOCK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/names.h"
#include "config/config.h"
#include "lock/record.h"

enum report_state {
	REPORT_FREE,
	REPORT_HELD,
	REPORT_LEAKED,  /* held, but the process of its record has ended */
	REPORT_CLOSED,  /* a row for a lock whose limit is 0 */
	REPORT_WAITING, /* a waiter ... */
	REPORT_STOPPED, /* ... that is stopped, and keeps its place */
};

/* A process that holds a slot, found by looking for it. */
struct report_process {
	pid_t pid;
	char *command;
};

/* A slot, a waiter, or a lock that is closed. */
struct report_row {
	enum report_state state;
	char *name;    /* of a slot: its number, or its name as the config spells it; else NULL */
	bool numbered; /* the name is a number */
	bool above_limit;   /* held, although the config has no such slot now */
	uint64_t ticket;    /* of a waiter: its number, and ... */
	unsigned place;     /* ... its place in the queue, 1 for the head */
	bool expired;       /* a free slot whose last holder was a claim that its --max ended */
	struct record *who; /* its id cut to the short one; NULL: no record that makes sense */
	unsigned doubts;    /* looks at a held slot, one after the other, whose record was not its
				* holder's: it is missing, or tells of one that has ended */
	bool searched;      /* who holds it was looked for ... */
	bool hidden;        /* ... but not in all processes: this user may not */
	struct report_process *processes;
	unsigned process_count;
	char *file; /* of a slot that is held: the file's name; and, of whatever is, its identity */
	dev_t device;
	ino_t inode;
};

struct report_lock {
	char *group, *lock;
	bool limited; /* the config has this lock, and `limit` slots in it */
	unsigned limit;
	struct error
		problem; /* why it could not be looked at: then there are no rows; else empty */
	struct report_row *rows; /* slots in their order, then waiters in theirs */
	unsigned count, room;
	unsigned held, waiting; /* how many; held: leaked ones too */
	bool doubtful; /* some row has doubts, which another look, a moment later, may remove */
};

struct report {
	const char *directory;     /* the query's */
	int64_t time;              /* wall clock of the end of the look, nanoseconds */
	struct error problem;      /* why there may be more locks than these; else empty */
	struct report_lock *locks; /* groups by name; locks of a group in the config's order */
	unsigned count, room;
};

/* What to look at. Names are folded; an empty list means all. */
struct report_query {
	const struct config *config;
	const char *directory;
	struct names groups, locks;
};

/*
 * Looks. -1 with a reason: unknown group or lock, or the directory cannot be read. What concerns
 * one lock only stands in the report instead (`problem`). A directory that does not exist is an
 * empty report. Blocks for a gate that somebody keeps, at most REPORT_GATE_PATIENCE seconds for
 * each; and for a moment where a slot seems to be leaked.
 */
#define REPORT_GATE_PATIENCE 5
int report_gather(struct report *report, const struct report_query *query, struct error *err);
void report_free(struct report *report);

/* "held", "leaked" ... */
const char *report_state_name(enum report_state state);

/* How long it has been so, in nanoseconds; negative: unknown. */
int64_t report_age(const struct report *report, const struct report_row *row);

/* The forms, each written to `out`. -1: no memory, or `out` has an error. */

/* Aligned columns under a head line; no line wider than `width` unless that is 0. */
int report_table(FILE *out, const struct report *report, size_t width, bool colour);

/* One JSON document. */
int report_json(FILE *out, const struct report *report);

/* The text exposition format of Prometheus. */
int report_prometheus(FILE *out, const struct report *report);

#endif
